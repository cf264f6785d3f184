"""Questions of the gate: which test rows there are, and what champion and challenger make of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pozytywka_spark.dataset.table import TrainingTable
from pozytywka_spark.evaluation.evaluate import Rows, Sums, sums
from pozytywka_spark.evaluation.scores import by_slice, scores_of
from pozytywka_spark.hashing.digest import digest_of
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.names import TEST

CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True)
class WeighedRows:
    """How many they are, and a digest of them, whatever the order of rows and features."""

    rows: int
    digest: str


@dataclass(frozen=True)
class ContenderSums:
    """`evaluate.sums` by contender, and exact values only by "contender slice: value"."""

    whole: dict[str, Sums]
    slices: dict[str, Sums]


def weighed_rows(table: TrainingTable) -> WeighedRows:
    """The rows that contenders are weighed on."""
    test = table.of(TEST)
    order = sorted(test.order)
    digest = digest_of([test.user_id, test.month.astype(np.int64), test.label, *map(test.column, order)])
    return WeighedRows(len(test), digest.named(order))


def sums_by_contender(
    table: TrainingTable, models: Mapping[str, ServingModel], seen: str, seed: int, first: int, count: int
) -> ContenderSums:
    """Sums over the test rows of months after `seen` (YYYY-MM); none if there are none."""
    test = table.of(TEST)
    unseen = test.where(test.month.astype("datetime64[M]").astype(str) > seen)
    scores = {name: scores_of(unseen, model) for name, model in models.items()}
    whole = {name: Rows(unseen.user_id, unseen.label, score) for name, score in scores.items()}
    slices: dict[str, Sums] = {}
    if first == 0 and len(models) > 1:
        groups = {
            f"{who} {name}": rows
            for who, score in scores.items()
            for name, rows in by_slice(unseen, score).items()
        }
        slices = sums(groups, 0, 0, 1)
    return ContenderSums(sums(whole, seed, first, count), slices)
