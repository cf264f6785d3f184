"""Features and labels -> a trained, measured, logged, registered model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.features.catalogue import CATALOGUE
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.training import calibration, estimators, linear, planner, record, scores
from pozytywka_spark.training.booster import with_margin
from pozytywka_spark.training.dossier import dossier
from pozytywka_spark.training.evaluation import evaluate
from pozytywka_spark.training.importance import importances
from pozytywka_spark.training.metrics import Evaluation
from pozytywka_spark.training.prepare import Prepared, prepare, read_rows
from pozytywka_spark.training.promotion import settle
from pozytywka_spark.training.rows import LABEL, SIDE
from pozytywka_spark.training.serving import ServingModel
from pozytywka_spark.training.shuffled import check_shuffled
from pozytywka_spark.training.splits import TEST, TRAIN, VALIDATION, describe, diagram
from pozytywka_spark.training.tracking import registry, runs
from pozytywka_spark.training.tracking.store import Tracking, connect

MEANINGS = {feature.name: feature.meaning for feature in CATALOGUE}


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


def train(spark: SparkSession, settings: Settings, lake: Lake, *, force: bool = False) -> TrainingReport:
    """Train the three models on the time split, measure them on the test months, register the trees.

    The same rows, features, settings and code trained before are not trained again (unless `force`).
    The first model is the champion; a later one becomes it by the gate. Raises `DataError` for a
    missing table or too few positives, `GuardError` on leakage, `TrackingError` if MLflow can't be
    reached.
    """
    planned = read_rows(settings, lake)
    tracking = connect(settings)  # before the work, not after it
    rows = planned.rows.persist()
    try:
        prepared = prepare(planned, rows, settings, lake)
        known = None if force else registry.find_version(tracking, prepared.inputs)
        version = known or _train(spark, rows, prepared, settings, lake, tracking)
        settled = settle(tracking, version, rows, settings)
        return _report(
            prepared, settings, tracking, version, settled.champion, settled.reasons, known is not None
        )
    finally:
        rows.unpersist()


def _train(
    spark: SparkSession,
    rows: DataFrame,
    prepared: Prepared,
    settings: Settings,
    lake: Lake,
    tracking: Tracking,
) -> registry.Version:
    size = (prepared.sizes[TRAIN][0], len(prepared.order))
    plan = planner.plan(*size, planner.describe_cluster(spark), settings.training.num_workers)
    guard = check_shuffled(rows, prepared.order, settings)
    tags = record.tags(prepared.inputs, prepared.catalogue, prepared.versions)
    with runs.run(tracking, "training", tags=tags) as parent:
        record.log_inputs(tracking, parent, prepared, settings, plan, guard.checked)
        logistic = linear.fit_logistic(rows, prepared.order, settings)
        trees = estimators.fit_trees(rows, prepared.order, settings, plan, prepared.base_rate)
        model = fit_calibrated(rows, trees, prepared, settings)
        found, slices = measure(with_city(rows, lake), model, logistic, settings)
        record.log_baselines(tracking, parent, prepared, logistic, found)
        logged = record.log_trees(tracking, parent, trees, model, found, slices)
        strongest = importances(rows.filter(F.col(SIDE) == TEST), model)
        remarks = [*record.notes(prepared, settings), f"Guard: {guard.checked}."]
        page = dossier(
            prepared, settings, record.evaluation_as_json(found, slices), strongest, MEANINGS, remarks
        )
        runs.log_json(tracking, parent, {"features": strongest}, "importances.json")
        runs.log_text(tracking, parent, page, "dossier.html")
    # after the run has ended well: a run killed on the way leaves nothing in the registry
    tags = record.version_tags(parent, prepared)
    return registry.register(tracking, logged.run_id, (logged.model_id, logged.source), tags)


def fit_calibrated(
    rows: DataFrame, trees: estimators.FittedTrees, prepared: Prepared, settings: Settings
) -> ServingModel:
    """The model that serves: trees, and the calibrator of their margins on the validation side."""
    model = ServingModel(
        booster=trees.booster,
        features=prepared.order,
        catalogue_hash=prepared.catalogue,
        trees=trees.trees,
        label=settings.label.column,
        horizon_days=settings.label.horizon_days,
        base_rate=prepared.base_rate,
        trained_until=f"{prepared.split.validation[-1]:%Y-%m}",
    )
    validation = rows.filter(F.col(SIDE) == VALIDATION)
    margins = with_margin(validation, model.booster, model.features, [LABEL]).persist()
    try:
        return replace(model, calibrator=calibration.fit_calibrator(margins, settings.calibration))
    finally:
        margins.unpersist()


def with_city(rows: DataFrame, lake: Lake) -> DataFrame:
    """Add the user's city, if the lake has users."""
    return scores.join_city(rows, lake.read("users")) if lake.exists("users") else rows


def measure(
    rows: DataFrame, model: ServingModel, logistic: linear.FittedLogistic, settings: Settings
) -> tuple[dict[str, Evaluation], dict[str, Evaluation]]:
    """Evaluations by "model side", with replicates, and by "slice: value" of the trees' test rows."""
    slices = scores.slices_of(rows.columns)
    scored = scores.with_scores(rows, model, logistic, slices).persist()
    try:
        chosen = settings.evaluation
        whole = evaluate(scores.by_model(scored), replicates=chosen.bootstrap, seed=chosen.seed)
        parts = evaluate(scores.by_slice(scored, list(slices)), replicates=0, seed=chosen.seed)
        return whole, parts
    finally:
        scored.unpersist()


def _report(
    prepared: Prepared,
    settings: Settings,
    tracking: Tracking,
    version: registry.Version,
    champion: int,
    reasons: Sequence[str],
    reused: bool,
) -> TrainingReport:
    known = f"version {version.number} was trained on the same inputs: nothing to do (--force trains again)"
    return TrainingReport(
        split=describe(prepared.split, prepared.counts),
        diagram=diagram(prepared.split, prepared.folds),
        notes=[*([known] if reused else []), *record.notes(prepared, settings), *reasons],
        models=record.table(runs.children(tracking, version.training_run)),
        model_name=tracking.model_name,
        version=version.number,
        champion=champion,
        run_id=version.training_run,
        tracking_uri=tracking.uri,
        reused=reused,
    )
