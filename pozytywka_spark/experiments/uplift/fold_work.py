"""Uplift: how much likelier the treatment makes a user's purchase, by models that never saw that user.

Two folds by a hash of the user; each is estimated by models fitted on the other (cross-fitting).
`two_model`: a classifier a group, the difference of their probabilities. `transformed`: one regression on
y (t - e) / (e (1 - e)), e the treated share, whose mean given the features is the uplift (Athey and Imbens
2015). No Spark here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.experiments.assignment.allocation import CONTROL
from pozytywka_spark.experiments.uplift.qini import BINS
from pozytywka_spark.experiments.uplift.rows_work import KEYS, MATRIX
from pozytywka_spark.hashing.dice import dice, falls_below
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.models.booster import Trees
from pozytywka_spark.models.calibration import sigmoid
from pozytywka_spark.models.threads import threads_of
from pozytywka_spark.schemas import UPLIFT
from pozytywka_spark.scoring.selection import ranks

if TYPE_CHECKING:
    from pozytywka_spark.models.booster import Matrix

TWO_MODEL = "two_model"
_SEED = 24  # of the dice that choose the users of a sample
_CLASSIFIED, _REGRESSED = "binary:logistic", "reg:squarederror"


@dataclass(frozen=True)
class Fold:
    """A half of the users, and the rows of the other one, by whose models it is estimated."""

    number: int
    own: tuple[Parcel, ...]
    others: tuple[Parcel, ...]

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(parcel.size for parcel in (*self.own, *self.others))


@dataclass(frozen=True)
class Fitting:
    """How models are fitted: XGBoost's `parameters`, so many trees, on the users whose dice are among the
    lowest `share` of all. `treated_share`: of each revision.
    """

    method: str
    parameters: Mapping[str, Any]
    trees: int
    treated_share: Mapping[int, float]
    share: float = 1.0


@dataclass(frozen=True)
class EstimateFold:
    """Work on `Fold`s: writes a file of `uplift` of each. `scored`: `score` of the rows is a ranking, else
    the probability without treatment stands in for it (two models only).
    """

    experiment: str
    group: str
    uplift_id: str
    fitting: Fitting
    scored: bool

    def __call__(self, items: Sequence[Fold], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        for fold in items:
            with threads_of(1):  # the same rows, the same trees; folds are grown beside each other
                models = fitted(*_rows(fold.others, self.fitting.share, files), self.fitting)
                parts = [self._estimated(files.read([parcel]), models) for parcel in fold.own]
            rows = with_bins(pl.concat(parts).sort("user_id", "month"))
            files.write(UPLIFT, self._as_table(rows), {"experiment": self.experiment})
        yield from ()

    def _estimated(self, rows: pl.DataFrame, models: Sequence[Trees]) -> pl.DataFrame:
        matrix = rows.get_column(MATRIX).to_numpy()
        margins = [model.margins(matrix) for model in models]
        keys = rows.select(KEYS)
        if not self.scored:
            keys = keys.with_columns(pl.lit(None, pl.Float64).alias("score"))
        if self.fitting.method != TWO_MODEL:
            return keys.with_columns(pl.Series("uplift", margins[0]))
        base, treated = (sigmoid(margin) for margin in margins)
        if not self.scored:
            keys = keys.with_columns(pl.Series("score", base))
        return keys.with_columns(pl.Series("uplift", treated - base))

    def _as_table(self, rows: pl.DataFrame) -> pl.DataFrame:
        group = pl.when(pl.col("treated") == 1).then(pl.lit(self.group)).otherwise(pl.lit(CONTROL))
        return rows.select(
            "user_id",
            "month",
            "revision",
            group.alias("group"),
            (pl.col("bought") == 1).alias("bought"),
            "fold",
            "uplift",
            "score",
            "uplift_bin",
            "score_bin",
            pl.lit(self.uplift_id).alias("uplift_id"),
        )


def with_bins(rows: pl.DataFrame) -> pl.DataFrame:
    """Add `uplift_bin`, `score_bin`: 0 (best) to 19, of ranks among `rows`; without scores by `user_id`."""
    users = rows.get_column("user_id").to_numpy()
    bins = []
    for name in ("uplift", "score"):
        rank, _ = ranks(rows.get_column(name).fill_null(0.0).to_numpy(), users)
        bins.append(pl.Series(f"{name}_bin", (rank - 1) * BINS // max(rows.height, 1), pl.Int32))
    return rows.with_columns(bins)


def fitted(rows: pl.DataFrame, matrix: Matrix, fitting: Fitting) -> list[Trees]:
    """Models of the rows: one of who wasn't treated and one of who was, or one of the transformed outcome."""
    treated, bought = (rows.get_column(name).to_numpy() for name in ("treated", "bought"))
    if fitting.method == TWO_MODEL:
        return [
            _grown(matrix[treated == group], bought[treated == group], _CLASSIFIED, fitting)
            for group in (0, 1)
        ]
    share = rows.get_column("revision").replace_strict(
        fitting.treated_share, default=None, return_dtype=pl.Float64
    )
    return [_grown(matrix, transformed(bought, treated, share.to_numpy()), _REGRESSED, fitting)]


def transformed(
    bought: npt.NDArray[Any], treated: npt.NDArray[Any], share: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """The transformed outcome of each row, of the treated share of its revision."""
    return np.asarray(bought * (treated - share) / (share * (1 - share)), dtype=np.float64)


def _grown(matrix: Matrix, label: npt.NDArray[Any], objective: str, fitting: Fitting) -> Trees:
    import xgboost

    rows = xgboost.QuantileDMatrix(matrix, label, missing=np.nan, nthread=1)
    parameters = {**fitting.parameters, "objective": objective, "nthread": 1}
    booster = xgboost.train(parameters, rows, fitting.trees, verbose_eval=False)
    return Trees(bytes(booster.save_raw("ubj")), fitting.trees)


def _rows(parcels: Sequence[Parcel], share: float, files: TaskFiles) -> tuple[pl.DataFrame, Matrix]:
    """Rows of the users of a sample, by user and month: `KEYS` and the features."""
    parts = [files.read([parcel]) for parcel in parcels]
    if share < 1:
        parts = [rows.filter(falls_below(dice(rows, _SEED, ("user_id",)), share)) for rows in parts]
    rows = pl.concat(parts).sort("user_id", "month")
    return rows.select(KEYS), rows.get_column(MATRIX).to_numpy()


@dataclass(frozen=True)
class CountCells:
    """Work on files of `uplift`: tells users by bins of both rankings, group, stratum and outcome (`cells`),
    how many of them are `scored`, and the estimates' `ids`.
    """

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a file."""
        columns = ["uplift_bin", "score_bin", "group", "revision", "bought", "score", "uplift_id"]
        for file in items:
            rows = files.read([file], columns)
            treated = (pl.col("group") != CONTROL).alias("treated")
            cells = rows.group_by("uplift_bin", "score_bin", treated, "revision", "bought").agg(
                pl.len().cast(pl.Int64).alias("users")
            )
            yield {
                "cells": cells.to_dicts(),
                "scored": rows.get_column("score").count(),
                "ids": rows.get_column("uplift_id").unique().to_list(),
            }
