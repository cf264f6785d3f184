"""Fits on rolling folds: all at once, one a task, or one after the other on all workers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.training.booster import Batches, Matrix, task_threads
from pozytywka_spark.training.estimators import fit_trees, positive_weight, tree_parameters
from pozytywka_spark.training.importance import strengths
from pozytywka_spark.training.planner import Plan
from pozytywka_spark.training.rows import SIDE
from pozytywka_spark.training.shipped import Sides, read_sides
from pozytywka_spark.training.splits import TRAIN, VALIDATION, MonthCount, TimeSplit, base_rate_of

_EXPLAINED = 20_000  # validation rows of a fold whose contributions are averaged
_SCHEMA = "place int, log_loss double, trees int, seconds double, strengths array<double>"


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


def one_a_task(
    spark: SparkSession, address: str, order: Sequence[str], counts: Sequence[MonthCount], *, explain: bool
) -> FitAll:
    """Fits side by side: each is plain XGBoost in one task, on rows that `shipped` put at `address`."""

    def fit_all(fits: Sequence[Fit]) -> list[FoldResult]:
        if not fits:
            return []
        jobs = [_job(fit, order, counts) for fit in fits]
        worker = _worker(jobs, address, tuple(order), explain)
        # a range has a partition for each number: the places, spread over all slots
        places = spark.range(0, len(jobs), 1, len(jobs))
        found = {row["place"]: row for row in places.mapInArrow(worker, _SCHEMA).collect()}
        return [
            FoldResult(row["log_loss"], row["trees"], row["seconds"], tuple(row["strengths"]))
            for _, row in sorted(found.items())
        ]

    return fit_all


def one_at_a_time(
    rows: DataFrame, order: Sequence[str], counts: Sequence[MonthCount], plan: Plan, *, explain: bool
) -> FitAll:
    """Fits one after the other, each on all workers of `plan`."""

    def fit_all(fits: Sequence[Fit]) -> list[FoldResult]:
        return [_distributed(rows, order, counts, plan, fit, explain) for fit in fits]

    return fit_all


def _distributed(
    rows: DataFrame,
    order: Sequence[str],
    counts: Sequence[MonthCount],
    plan: Plan,
    fit: Fit,
    explain: bool,
) -> FoldResult:
    start = time.monotonic()
    fold = fit.fold
    side = F.when(F.col("month").isin(list(fold.train)), TRAIN).when(
        F.col("month").isin(list(fold.validation)), VALIDATION
    )
    sided = rows.drop(SIDE).withColumns({SIDE: side})
    trees = fit_trees(sided, order, fit.settings, plan, base_rate_of(fold.train, counts))
    found: Matrix = np.zeros(0)
    if explain:
        found = strengths(sided.filter(F.col(SIDE) == VALIDATION), trees.predictor, order)
    loss = trees.validation_loss[trees.trees - 1]
    return FoldResult(loss, trees.trees, time.monotonic() - start, tuple(found.tolist()))


def _job(fit: Fit, order: Sequence[str], counts: Sequence[MonthCount]) -> Mapping[str, Any]:
    weight = positive_weight(fit.settings, base_rate_of(fit.fold.train, counts))
    return {
        "parameters": {**tree_parameters(fit.settings, order, weight), "objective": "binary:logistic"},
        "rounds": fit.settings.training.max_trees,
        "patience": fit.settings.training.early_stopping_rounds,
        "train": fit.fold.train,
        "validation": fit.fold.validation,
    }


def _worker(
    jobs: Sequence[Mapping[str, Any]], address: str, order: tuple[str, ...], explain: bool
) -> Callable[[Batches], Batches]:
    def run(batches: Batches) -> Batches:
        for batch in batches:
            for place in batch.column(0).to_pylist():
                job = jobs[place]
                found = fit_in_task(job, address, order, explain=explain, threads=task_threads())
                values = [place, found.log_loss, found.trees, found.seconds, list(found.strengths)]
                types = [pa.int32(), pa.float64(), pa.int32(), pa.float64(), pa.list_(pa.float64())]
                arrays = [pa.array([value], kind) for value, kind in zip(values, types, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, ["place", *FoldResult.__dataclass_fields__])

    return run


@lru_cache(maxsize=1)  # a wave fits one fold after the other
def _matrices(
    address: str, order: tuple[str, ...], train: tuple[date, ...], validation: tuple[date, ...], threads: int
) -> tuple[Sides, Any, Any]:
    import xgboost

    sides = read_sides(address, order, train, validation)
    options = {"missing": np.nan, "nthread": threads}
    known = xgboost.QuantileDMatrix(sides.train, sides.train_label, **options)
    held_out = xgboost.QuantileDMatrix(sides.validation, sides.validation_label, ref=known, **options)
    return sides, known, held_out


def fit_in_task(
    job: Mapping[str, Any], address: str, order: tuple[str, ...], *, explain: bool, threads: int
) -> FoldResult:
    """One fit with the library alone.

    The same rows in the same order with the same threads give the trees that one Spark worker gives.
    """
    import xgboost

    start = time.monotonic()
    sides, known, held_out = _matrices(address, order, job["train"], job["validation"], threads)
    booster = xgboost.train(
        {**job["parameters"], "nthread": threads},
        known,
        job["rounds"],
        evals=[(held_out, "validation")],
        early_stopping_rounds=job["patience"],
        verbose_eval=False,
    )
    best = int(booster.best_iteration) + 1
    found: Matrix = np.zeros(0)
    if explain:
        step = -(-len(sides.validation) // _EXPLAINED)
        rows = xgboost.DMatrix(sides.validation[::step], missing=np.nan, nthread=threads)
        contributions = booster.predict(rows, pred_contribs=True, iteration_range=(0, best))
        found = np.abs(contributions[:, :-1]).mean(axis=0).astype(np.float64)
    return FoldResult(float(booster.best_score), best, time.monotonic() - start, tuple(found.tolist()))
