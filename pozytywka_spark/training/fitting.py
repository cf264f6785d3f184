"""Trees, their calibrator, and how they do beside the baselines: the part that a reproduction repeats."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.training import calibration, estimators, linear, scores
from pozytywka_spark.training.booster import with_margin
from pozytywka_spark.training.decisions import histogram
from pozytywka_spark.training.evaluation import evaluate
from pozytywka_spark.training.metrics import Evaluation
from pozytywka_spark.training.prepare import Prepared
from pozytywka_spark.training.rows import LABEL, SIDE
from pozytywka_spark.training.serving import ServingModel
from pozytywka_spark.training.splits import VALIDATION

SLICE_REPLICATES = 100  # intervals of slices: their number is what costs, not their width


@dataclass(frozen=True)
class Measured:
    """Evaluations by "model side", of the trees' slices by "slice: value", and counts by probability."""

    models: dict[str, Evaluation]
    slices: dict[str, Evaluation]
    counts: pd.DataFrame


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
) -> Measured:
    """All three models on validation and test, the trees on the test's slices, every row counted."""
    slices = scores.slices_of(rows.columns)
    scored = scores.with_scores(rows, model, logistic, slices).persist()
    try:
        chosen = settings.evaluation
        few = min(chosen.bootstrap, SLICE_REPLICATES)
        return Measured(
            models=evaluate(scores.by_model(scored), replicates=chosen.bootstrap, seed=chosen.seed),
            slices=evaluate(scores.by_slice(scored, list(slices)), replicates=few, seed=chosen.seed),
            counts=histogram(scored),
        )
    finally:
        scored.unpersist()
