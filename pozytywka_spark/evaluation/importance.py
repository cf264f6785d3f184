"""Feature importance: each feature's contributions to the scores, their strength, direction and shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pozytywka_spark.dataset.table import SIDES, Mask, TrainingTable
from pozytywka_spark.models.booster import Matrix, Predictor
from pozytywka_spark.models.names import XGBOOST
from pozytywka_spark.models.threads import threads_of
from pozytywka_spark.names import TEST

SHAPED = 6  # features whose dependence is drawn
SWARMED = 12  # features of the summary of single users
DOTS = 600  # users in that summary
BINS = 20
_TAILS = (0.1, 0.9)


@dataclass(frozen=True)
class Explained:
    """Rows whose scores are explained: `parts` has each feature's contribution, in the order of the matrix.

    `dice` are thrown by the rows' keys: the lowest are drawn where a few stand for all.
    """

    order: tuple[str, ...]
    matrix: npt.NDArray[np.float32]
    parts: Matrix
    dice: npt.NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.dice)

    def feature(self, name: str) -> tuple[Matrix, Matrix]:
        """Its values, NaN as missing, and their contributions."""
        place = self.order.index(name)
        return self.matrix[:, place].astype(np.float64), self.parts[:, place]


def explain_test(
    table: TrainingTable, predictor: Predictor, most_rows: int, seed: int, threads: int
) -> dict[str, Any]:
    """Of about `most_rows` test rows: `strongest` features, their `dependence` (of trees) and `swarm`."""
    sample = sample_rows(table, table.side == SIDES.index(TEST), most_rows, seed)
    with threads_of(threads):
        explained = explain_rows(sample, predictor, seed, threads)
    strongest = importances(explained)
    names = [str(row["feature"]) for row in strongest]
    return {
        "rows": len(explained),
        "strongest": strongest,
        "dependence": dependence(explained, names[: SHAPED if predictor.kind == XGBOOST else 0]),
        "swarm": swarm(explained, names[:SWARMED]),
    }


def explain_rows(table: TrainingTable, predictor: Predictor, seed: int, threads: int) -> Explained:
    """Each row's contributions to its log-odds."""
    parts = predictor.contributions(table.matrix, threads)[:, :-1]
    return Explained(table.order, table.matrix, parts, _dice(table, seed))


def sample_rows(table: TrainingTable, mask: Mask, most_rows: int, seed: int) -> TrainingTable:
    """About `most_rows` of the rows that the mask marks, the same ones every time; all if they are fewer."""
    available = int(mask.sum())
    if available > most_rows:
        mask = mask & (_dice(table, seed) < np.uint64(int(2**64 * (most_rows / available))))
    return table.where(mask)


def importances(rows: Explained) -> list[dict[str, Any]]:
    """A row a feature, strongest first: mean absolute contribution (log-odds).

    `direction` is the correlation's sign of value and contribution: "rises" if more of the feature
    mostly raises the score. Features of no strength are left out.
    """
    strength = np.abs(rows.parts).mean(axis=0) if len(rows) else np.zeros(len(rows.order))
    return [
        {
            "feature": rows.order[place],
            "strength": float(strength[place]),
            "direction": "rises" if _together(*rows.feature(rows.order[place])) > 0 else "falls",
        }
        for place in np.argsort(-strength, kind="stable")
        if strength[place] > 0
    ]


def dependence(rows: Explained, features: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """By feature: its contribution over twenty bins of about equal size, in the order of the value.

    A bin has `rows`, the mean `value` (None: the value is missing), the mean `contribution` and its tenth
    and ninetieth percentile `low` and `high`. Rows of equal value share a bin.
    """
    return {name: _shape(*rows.feature(name)) for name in features}


def swarm(rows: Explained, features: Sequence[str]) -> dict[str, list[list[float | None]]]:
    """By feature: pairs (value, contribution) of the `DOTS` rows with the lowest dice."""
    drawn = np.argsort(rows.dice, kind="stable")[:DOTS]
    points = {}
    for name in features:
        values, parts = (column[drawn].tolist() for column in rows.feature(name))
        points[name] = [[_rounded(value), _rounded(part)] for value, part in zip(values, parts, strict=True)]
    return points


def _dice(table: TrainingTable, seed: int) -> npt.NDArray[np.uint64]:
    import polars as pl

    from pozytywka_spark.hashing.dice import dice

    return dice(pl.DataFrame({"user_id": table.user_id, "month": table.month}), seed).to_numpy()


def _together(values: Matrix, parts: Matrix) -> float:
    """The sum of value times contribution, both about their means, where the value is known."""
    has_value = ~np.isnan(values)
    if not has_value.any():
        return 0.0
    return float(((values[has_value] - values[has_value].mean()) * (parts[has_value] - parts.mean())).sum())


def _shape(values: Matrix, parts: Matrix) -> list[dict[str, Any]]:
    has_value = ~np.isnan(values)
    shape = []
    if has_value.any():
        shares = np.arange(1, BINS) / BINS
        edges = np.unique(np.quantile(values[has_value], shares, method="inverted_cdf"))
        bins = np.searchsorted(edges, values[has_value], side="left")
        for place in np.unique(bins):
            mine = bins == place
            shape.append(_bin(float(values[has_value][mine].mean()), parts[has_value][mine]))
    if not has_value.all():
        shape.append(_bin(None, parts[~has_value]))
    return shape


def _bin(value: float | None, parts: Matrix) -> dict[str, Any]:
    low, high = np.quantile(parts, _TAILS, method="inverted_cdf")
    return {
        "rows": len(parts),
        "value": value,
        "contribution": float(parts.mean()),
        "low": float(low),
        "high": float(high),
    }


def _rounded(value: float) -> float | None:
    return None if value != value else float(f"{value:.4g}")
