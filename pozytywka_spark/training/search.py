"""Fits on rolling folds as this cluster does them best, and the search for parameters with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.training import record
from pozytywka_spark.training.folds import FitAll, one_a_task, one_at_a_time
from pozytywka_spark.training.planner import Plan, TrialPlan, describe_cluster, plan_trials
from pozytywka_spark.training.prepare import Prepared
from pozytywka_spark.training.shipped import readable_by_tasks, shipped
from pozytywka_spark.training.splits import TRAIN, VALIDATION
from pozytywka_spark.training.tracking.store import Tracking
from pozytywka_spark.training.tuning import Tuned, study_name, tune


@dataclass(frozen=True)
class FoldFits:
    """`plain` gives losses only, `explained` importances too; `plan` says how they are done."""

    plain: FitAll
    explained: FitAll
    plan: TrialPlan


@contextmanager
def fold_fits(
    spark: SparkSession, rows: DataFrame, prepared: Prepared, plan: Plan, settings: Settings, lake: Lake
) -> Iterator[FoldFits]:
    """While the block lasts: a way to fit on folds, side by side if a task can hold the rows."""
    held = sum(prepared.sizes[side][0] for side in (TRAIN, VALIDATION))
    cluster = describe_cluster(spark)
    shared = readable_by_tasks(lake.root)
    chosen = plan_trials(held, len(prepared.order), cluster, settings.tuning.parallel, shared=shared)
    order, counts = prepared.order, prepared.counts
    if chosen.distributed or not prepared.folds:
        yield FoldFits(
            one_at_a_time(rows, order, counts, plan, explain=False),
            one_at_a_time(rows, order, counts, plan, explain=True),
            chosen,
        )
        return
    with shipped(rows, order, lake.root, prepared.untuned[:16]) as address:
        yield FoldFits(
            one_a_task(spark, address, order, counts, explain=False),
            one_a_task(spark, address, order, counts, explain=True),
            chosen,
        )


def search(
    tracking: Tracking, parent: str, prepared: Prepared, settings: Settings, fits: FoldFits
) -> Tuned | None:
    """The best parameters, trials logged as child runs of `parent`; None if tuning is off."""
    if not settings.tuning.enabled:
        return None
    trials = record.TrialLog(tracking, parent)
    return tune(
        settings,
        prepared.folds,
        fits.plain,
        name=study_name(settings, prepared.untuned, fits.plan.parallel),
        parallel=fits.plan.parallel,
        reason=fits.plan.reason,
        told=trials.log,
    )
