"""Fits on rolling folds: each a question to the training table, all asked at once."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache, partial

import numpy as np

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.questions import Asked, Question
from pozytywka_spark.dataset.splits import MonthCount, base_rate_of
from pozytywka_spark.dataset.table import Mask, TrainingTable
from pozytywka_spark.models.booster import explain
from pozytywka_spark.models.threads import threads_of
from pozytywka_spark.models.tree_parameters import positive_weight
from pozytywka_spark.months import TimeSplit
from pozytywka_spark.training.estimators import FittedTrees, as_task
from pozytywka_spark.training.single_task import Binned, Task, binned, grow

# validation rows of a fold whose contributions are averaged: at headline size shares of strength are within
# two percent of those of all 5,300 rows, ranks the same to a correlation of 0.999, at a third of the time
_EXPLAINED = 2_000


@dataclass(frozen=True)
class Fit:
    """What to fit: the settings of `training`, on a fold."""

    settings: Settings
    fold: TimeSplit


@dataclass(frozen=True)
class FoldResult:
    """The validation side's log loss at the best iteration, and what moved its scores, by feature."""

    log_loss: float
    trees: int
    seconds: float
    strengths: tuple[float, ...]


FitAll = Callable[[Sequence[Fit]], list[FoldResult]]


@dataclass(frozen=True)
class Final:
    """The final fit: a fold of the same months, settings and threads needs no other."""

    fit: Fit
    trees: FittedTrees
    threads: int


def fit_folds(
    asked: Asked,
    order: Sequence[str],
    counts: Sequence[MonthCount],
    threads: int,
    *,
    explain: bool,
    final: Final | None = None,
) -> FitAll:
    """Fits side by side, each with so many threads, with its own fold's base rate.

    `explain`: say what moved the scores too. `final`: trees that were grown on the training table before.
    """

    def question_of(fit: Fit) -> Question[FoldResult]:
        months = fit.fold.validation
        task = _task(fit, order, counts, threads)
        if final is not None and _is_same(final, fit, task):
            return partial(explain_final, validation=months, trees=final.trees, threads=threads)
        return partial(fit_fold, train=fit.fold.train, validation=months, task=task, explain=explain)

    def fit_all(fits: Sequence[Fit]) -> list[FoldResult]:
        return asked.ask([question_of(fit) for fit in fits], threads=threads) if fits else []

    return fit_all


def _is_same(final: Final, fit: Fit, task: Task) -> bool:
    """Whether XGBoost would be given the same once more."""
    months = (fit.fold.train, fit.fold.validation)
    return (
        (final.fit.fold.train, final.fit.fold.validation) == months
        and final.fit.settings.training == fit.settings.training
        and final.threads == task.threads
        and final.trees.positive_weight == task.parameters["scale_pos_weight"]
    )


def _task(fit: Fit, order: Sequence[str], counts: Sequence[MonthCount], threads: int) -> Task:
    weight = positive_weight(fit.settings, base_rate_of(fit.fold.train, counts))
    # of a fold nobody reads the train side's losses
    return replace(as_task(order, fit.settings, threads, weight), both_losses=False)


def fit_fold(
    table: TrainingTable, train: Sequence[date], validation: Sequence[date], task: Task, *, explain: bool
) -> FoldResult:
    """Trees on the rows of the months `train`, stopped and judged on those of `validation`."""
    start = time.monotonic()
    with threads_of(task.threads):
        months = tuple(train), tuple(validation)
        grown = grow(_binned(_Same(table), *months, task.threads, task.max_bin), task)
        losses: tuple[float, ...] = ()
        if explain:
            best = bytes(grown.booster[: grown.best].save_raw("ubj"))
            losses = _strengths(table, validation, best, task.threads)
    loss = grown.validation_loss[grown.best - 1]
    return FoldResult(loss, grown.best, time.monotonic() - start, losses)


def explain_final(
    table: TrainingTable, validation: Sequence[date], trees: FittedTrees, threads: int
) -> FoldResult:
    """`fit_fold` of trees that are there: only what moves their scores is new."""
    start = time.monotonic()
    with threads_of(threads):
        strengths = _strengths(table, validation, trees.booster, threads)
    return FoldResult(
        trees.validation_loss[trees.trees - 1], trees.trees, time.monotonic() - start, strengths
    )


def _strengths(
    table: TrainingTable, months: Sequence[date], booster: bytes, threads: int
) -> tuple[float, ...]:
    """Each feature's mean absolute contribution over the rows of the months, or over a sample of many."""
    held_out = table.matrix[_within(table, months)]
    step = -(-len(held_out) // _EXPLAINED)
    parts = explain(booster, held_out[::step], threads)
    return tuple(np.abs(parts[:, :-1]).mean(axis=0).tolist())


class _Same:
    """A table as a key: equal to itself only. The cache doesn't keep it in memory."""

    def __init__(self, table: TrainingTable) -> None:
        self._id, self.table = id(table), weakref.ref(table)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.table() is other.table() is not None

    def __hash__(self) -> int:
        return self._id


@lru_cache(maxsize=1)  # a wave of trials fits one fold after the other, and binning takes a third of a fit
def _binned(
    same: _Same, train: tuple[date, ...], validation: tuple[date, ...], threads: int, max_bin: int
) -> Binned:
    table = same.table()
    assert table is not None
    learned, held_out = (table.where(_within(table, months)) for months in (train, validation))
    return binned(learned, held_out, threads, max_bin)


def _within(table: TrainingTable, months: Sequence[date]) -> Mask:
    return np.isin(table.month, np.array(months, "datetime64[D]"))
