"""Evaluation of scored rows, exact on all of them, with replicates over users for the noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pozytywka_spark.evaluation import metric_sums
from pozytywka_spark.evaluation.metric_sums import Floats
from pozytywka_spark.evaluation.metrics import Evaluation, finish

# Of a group: what `metric_sums.parts` gives, a row a replicate
Sums = dict[str, Floats]
_CELLS_A_QUESTION = 100_000_000  # rows x replicates: about five seconds of a core


class Rows(NamedTuple):
    """Scored rows of one group. Groups whose `user_id` is the same array share the work of drawing users."""

    user_id: npt.NDArray[np.int64]
    label: Floats
    score: Floats


def evaluate(groups: Mapping[str, Rows], *, replicates: int, seed: int) -> dict[str, Evaluation]:
    """Metrics of each group that has rows, with bootstrap replicates over users."""
    return finished([sums(groups, seed, 0, replicates + 1)])


def ranges(rows: int, replicates: int) -> list[tuple[int, int]]:
    """(first, count) of all replicates, the exact values as number 0, cut into questions of a few seconds."""
    drawn = replicates + 1
    most = max(1, _CELLS_A_QUESTION // max(1, rows))
    size = -(-drawn // -(-drawn // most))  # as even as they can be
    return [(first, min(size, drawn - first)) for first in range(0, drawn, size)]


def sums(groups: Mapping[str, Rows], seed: int, first: int, count: int) -> dict[str, Sums]:
    """Of each group that has rows: `count` replicates from number `first` on."""
    sums_by_group: dict[str, Sums] = {}
    of_users: dict[int, dict[str, Rows]] = {}
    for name, rows in groups.items():
        if len(rows.user_id):
            of_users.setdefault(id(rows.user_id), {})[name] = rows
    for mine in of_users.values():
        sums_by_group |= _of_same_users(mine, seed, first, count)
    return {name: sums_by_group[name] for name in groups if name in sums_by_group}


def finished(parts: Sequence[Mapping[str, Sums]]) -> dict[str, Evaluation]:
    """Metrics from `sums` of all replicates, in their order."""
    done = {}
    for name in parts[0]:
        whole = _joined([part[name] for part in parts])
        done[name] = finish(whole["pos"], whole["neg"], whole)
    return done


def _of_same_users(groups: Mapping[str, Rows], seed: int, first: int, count: int) -> dict[str, Sums]:
    user_id = next(iter(groups.values())).user_id
    users, position = np.unique(user_id, return_inverse=True)
    ranked = {name: metric_sums.ranked(rows.score, rows.label) for name, rows in groups.items()}
    places = {name: position[rows.order] for name, rows in ranked.items()}
    sums_by_group: dict[str, list[Sums]] = {name: [] for name in groups}
    for start, size in metric_sums.replicate_chunks(len(user_id), first, count):
        drawn = metric_sums.weights_of(users, seed, start, size)
        for name, rows in ranked.items():
            sums_by_group[name].append(metric_sums.parts(rows, np.take(drawn, places[name], axis=1)))
    return {name: _joined(parts) for name, parts in sums_by_group.items()}


def _joined(parts: Sequence[Sums]) -> Sums:
    """Replicates one after another; the curve is of the exact values, which come first."""
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return whole | {"curve": parts[0]["curve"]}
