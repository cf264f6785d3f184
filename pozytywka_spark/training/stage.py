"""Features and labels -> a trained, measured, logged, registered model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.features.catalogue import catalogue_hash, feature_order
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.training import estimators, linear, planner, provenance, record
from pozytywka_spark.training.booster import MARGIN, probability, with_margin
from pozytywka_spark.training.evaluation import evaluate
from pozytywka_spark.training.rows import (
    LABEL,
    SIDE,
    check_training_rows,
    content_hash,
    count_months,
    training_rows,
)
from pozytywka_spark.training.serving import ServingModel
from pozytywka_spark.training.splits import (
    TEST,
    TRAIN,
    VALIDATION,
    MonthCount,
    TimeSplit,
    describe,
    diagram,
    plan_split,
    rolling_folds,
)
from pozytywka_spark.training.tracking import registry, runs
from pozytywka_spark.training.tracking.store import Tracking, connect


@dataclass(frozen=True)
class TrainingReport:
    """What was trained and where it is. `models` has a row a model with the same metrics of the test rows."""

    split: Sequence[Mapping[str, Any]]
    diagram: Sequence[str]
    notes: Sequence[str]
    models: Sequence[Mapping[str, Any]]
    model_name: str
    version: int
    champion: int
    run_id: str
    tracking_uri: str
    reused: bool


@dataclass(frozen=True)
class Prepared:
    """Everything that is known before the first model is fitted."""

    order: tuple[str, ...]
    catalogue: str
    counts: tuple[MonthCount, ...]
    split: TimeSplit
    folds: tuple[TimeSplit, ...]
    sizes: Mapping[str, tuple[int, int]]
    inputs: str
    versions: Mapping[str, int]

    @property
    def base_rate(self) -> float:
        """Share of positives on the train side."""
        rows, positives = self.sizes[TRAIN]
        return positives / rows


def train(spark: SparkSession, settings: Settings, lake: Lake, *, force: bool = False) -> TrainingReport:
    """Train the three models on the time split, measure them on the test months, register the trees.

    The same rows, features, settings and code trained before are not trained again (unless `force`).
    Raises `DataError` for a missing table or too few positives, `GuardError` on leakage,
    `TrackingError` if MLflow can't be reached.
    """
    features, labels = _read(lake, "features"), _read(lake, "labels")
    label = settings.label.column
    if label not in labels.columns:
        raise DataError(
            f"table labels has no {label}: "
            f"run the features job with label.horizon_days={settings.label.horizon_days}"
        )
    counts = count_months(labels, label)
    split = plan_split(counts, settings)
    tracking = connect(settings)  # before the work, not after it
    order = feature_order(settings)
    rows = training_rows(features, labels, order, label, split).persist()
    try:
        prepared = _prepare(rows, order, counts, split, settings, lake)
        known = None if force else registry.find_version(tracking, prepared.inputs)
        if known is not None:
            return _report(prepared, settings, tracking, known, reused=True)
        plan = planner.plan(
            prepared.sizes[TRAIN][0],
            len(order),
            planner.describe_cluster(spark),
            settings.training.num_workers,
        )
        return _train(rows, prepared, plan, settings, tracking)
    finally:
        rows.unpersist()


def _read(lake: Lake, table: str) -> DataFrame:
    if not lake.exists(table):
        raise DataError(f"table {table} is not in {lake.root}: run the features job first")
    return lake.read(table)


def _prepare(
    rows: DataFrame,
    order: tuple[str, ...],
    counts: Sequence[MonthCount],
    split: TimeSplit,
    settings: Settings,
    lake: Lake,
) -> Prepared:
    catalogue = catalogue_hash(settings)
    return Prepared(
        order=order,
        catalogue=catalogue,
        counts=tuple(counts),
        split=split,
        folds=tuple(rolling_folds(counts, split, settings)),
        sizes=check_training_rows(rows, counts, split),
        inputs=provenance.fingerprint(settings, order, catalogue, content_hash(rows)),
        versions=provenance.table_versions(lake),
    )


def _train(
    rows: DataFrame, prepared: Prepared, plan: planner.Plan, settings: Settings, tracking: Tracking
) -> TrainingReport:
    tags = record.tags(prepared.inputs, prepared.catalogue, prepared.versions)
    with runs.run(tracking, "training", tags=tags) as parent:
        record.log_inputs(tracking, parent, prepared, settings, plan)
        logistic = linear.fit_logistic(rows, prepared.order, settings)
        trees = estimators.fit_trees(rows, prepared.order, settings, plan, prepared.base_rate)
        scored = as_scored(rows, prepared, logistic, trees).persist()
        try:
            found = evaluate(scored, replicates=settings.evaluation.bootstrap, seed=settings.evaluation.seed)
        finally:
            scored.unpersist()
        model = ServingModel(
            booster=trees.booster,
            features=prepared.order,
            catalogue_hash=prepared.catalogue,
            trees=trees.trees,
            label=settings.label.column,
            horizon_days=settings.label.horizon_days,
            base_rate=prepared.base_rate,
        )
        record.log_baselines(tracking, parent, prepared, logistic, found)
        logged = record.log_trees(tracking, parent, trees, model, found)
    # after the run has ended well: a run killed on the way leaves nothing in the registry
    version = registry.register(
        tracking, logged.run_id, (logged.model_id, logged.source), record.version_tags(parent, prepared)
    )
    return _report(prepared, settings, tracking, version, reused=False)


def as_scored(
    rows: DataFrame, prepared: Prepared, logistic: linear.FittedLogistic, trees: estimators.FittedTrees
) -> DataFrame:
    """Grain user, month, model of validation and test: name ("model side"), user_id, month, label, score."""
    held_out = rows.filter(F.col(SIDE).isin(VALIDATION, TEST))
    keep = ["user_id", "month", SIDE, LABEL, linear.LOGISTIC]
    scores = linear.with_logistic(held_out, logistic).transform(
        with_margin, trees.booster, prepared.order, keep
    )
    by_model = {
        estimators.MAJORITY: F.lit(prepared.base_rate),
        linear.LOGISTIC: F.col(linear.LOGISTIC),
        estimators.XGBOOST: probability(F.col(MARGIN)),
    }
    pairs = [F.struct(F.lit(name).alias("model"), score.alias("score")) for name, score in by_model.items()]
    return scores.select("user_id", "month", SIDE, LABEL, F.explode(F.array(*pairs)).alias("pair")).select(
        F.concat_ws(" ", "pair.model", SIDE).alias("name"), "user_id", "month", LABEL, "pair.score"
    )


def _report(
    prepared: Prepared, settings: Settings, tracking: Tracking, version: registry.Version, *, reused: bool
) -> TrainingReport:
    champion = _settle(tracking, version)
    notes = record.notes(prepared, settings)
    if reused:
        notes = [
            f"version {version.number} was trained on the same inputs: nothing to do (--force trains again)",
            *notes,
        ]
    return TrainingReport(
        split=describe(prepared.split, prepared.counts),
        diagram=diagram(prepared.split, prepared.folds),
        notes=notes,
        models=record.table(runs.children(tracking, version.training_run)),
        model_name=tracking.model_name,
        version=version.number,
        champion=champion,
        run_id=version.training_run,
        tracking_uri=tracking.uri,
        reused=reused,
    )


def _settle(tracking: Tracking, version: registry.Version) -> int:
    """Point the aliases at the new version; the champion's number. The first model ever is the champion."""
    challenger = registry.aliased(tracking, registry.CHALLENGER)
    if challenger is None or challenger.number < version.number:
        registry.set_alias(tracking, registry.CHALLENGER, version.number)
    champion = registry.aliased(tracking, registry.CHAMPION)
    if champion is None:
        registry.set_alias(tracking, registry.CHAMPION, version.number)
        return version.number
    return champion.number
