"""How far off the backtest was, summed by step, measure, model and days ahead. No Spark here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.forecasting.stored import COMBINED, DAILY, NAIVE
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import FORECAST_ERRORS

LEVELS = (80, 90)
KIND = "error sums"
BY = ("step", "measure", "model", "ahead")
COLUMNS = (
    *BY,
    "run",
    "actual",
    "scaled",
    *(f"{side}_{level}" for level in LEVELS for side in ("low", "high")),
)
SUMS = ("rows", "scaled", "judged", "inside_80", "inside_90")


@dataclass(frozen=True)
class SumErrors:
    """Work on files of `forecast_errors` of one run: parcels of `BY` and `SUMS`.

    `judged`: rows that have intervals; `inside_…`: of those, the ones whose actual value lies within.
    """

    run: str

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line of all."""
        for file in items:
            rows = files.read([file], COLUMNS).filter(pl.col("run") == self.run)
            files.stage(KIND, summed(rows))
        yield {}


def summed(rows: pl.DataFrame) -> pl.DataFrame:
    """Sums of rows of errors: `BY` and `SUMS`."""
    inside = {
        f"inside_{level}": pl.col("actual").is_between(f"low_{level}", f"high_{level}").sum()
        for level in LEVELS
    }
    return rows.group_by(BY).agg(
        rows=pl.len().cast(pl.Int64),
        scaled=pl.col("scaled").sum(),
        judged=pl.col("low_90").is_not_null().sum().cast(pl.Int64),
        **{name: column.cast(pl.Int64) for name, column in inside.items()},
    )


def error_sums(lake: Lake, run: str) -> pl.DataFrame:
    """The sums of a run's backtest, by `BY`; no rows where another's has taken its place."""
    with lake.tasks() as tasks:
        files = data_files(lake, tasks, FORECAST_ERRORS.name, COLUMNS)
        done = tasks.run(
            files, SumErrors(run), weight=lambda file: file.size, named=lambda file: f"errors in {file.place}"
        )
        parcels = done.of(KIND)
        if not parcels:
            return pl.DataFrame(schema=dict(zip((*BY, *SUMS), _TYPES, strict=True)))
        return tasks.fetch(parcels).group_by(BY).agg(pl.col(SUMS).sum()).sort(BY)


_TYPES = (pl.String(), pl.String(), pl.String(), pl.Int32(), pl.Int64(), pl.Float64(), *[pl.Int64()] * 3)


@dataclass(frozen=True)
class Accuracy:
    """How well a measure was foretold in the backtest, over its series, origins and days ahead.

    `error` and `naive`: mean absolute errors of the combination and of the seasonal naive, in the naive's own
    error within the history (MASE); `inside_80` and `inside_90`: shares of days within the intervals, None
    where there were too few origins to judge them.
    """

    step: str
    measure: str
    error: float
    naive: float
    inside_80: float | None
    inside_90: float | None

    @property
    def relative(self) -> float | None:
        """To the seasonal naive; below 1 is better."""
        return self.error / self.naive if self.naive else None


def accuracy_of(sums: pl.DataFrame) -> tuple[Accuracy, ...]:
    """By step and measure, of all days ahead together."""
    whole = sums.group_by("step", "measure", "model").agg(pl.col(SUMS).sum())
    found = []
    for (step, measure), rows in whole.sort("step", "measure").group_by(
        "step", "measure", maintain_order=True
    ):
        by_model = {row["model"]: row for row in rows.to_dicts()}
        mine, naive = by_model.get(COMBINED), by_model.get(NAIVE)
        if mine is not None and naive is not None:
            errors = (row["scaled"] / row["rows"] for row in (mine, naive))
            judged = mine["judged"]
            shares = (mine[f"inside_{level}"] / judged if judged else None for level in LEVELS)
            found.append(Accuracy(str(step), str(measure), *errors, *shares))
    return tuple(found)


def by_model(sums: pl.DataFrame) -> dict[str, float]:
    """Mean scaled error of each model by day, over all measures' series."""
    whole = sums.filter(pl.col("step") == DAILY).group_by("model").agg(pl.col("rows", "scaled").sum())
    return {row["model"]: row["scaled"] / row["rows"] for row in whole.sort("model").to_dicts()}
