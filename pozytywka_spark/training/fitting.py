"""Both models, their calibrators, and how all do beside each other: the part that a reproduction repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.training import calibration, estimators, linear, scores
from pozytywka_spark.training.asking import Asked
from pozytywka_spark.training.booster import Predictor, with_margin
from pozytywka_spark.training.decisions import histogram
from pozytywka_spark.training.evaluation import evaluate
from pozytywka_spark.training.metrics import Evaluation
from pozytywka_spark.training.planner import Plan
from pozytywka_spark.training.prepare import Prepared
from pozytywka_spark.training.rows import LABEL, SIDE
from pozytywka_spark.training.serving import ServingModel
from pozytywka_spark.training.splits import VALIDATION
from pozytywka_spark.training.table import TrainingTable
from pozytywka_spark.training.verdict import Verdict, chosen_kind, compare

SLICE_REPLICATES = 100  # intervals of slices: their number is what costs, not their width


@dataclass(frozen=True)
class Fitted:
    """Both models as they were fitted, and by kind as they would serve, each calibrated on validation."""

    trees: estimators.FittedTrees
    logistic: linear.FittedLogistic
    models: Mapping[str, ServingModel]


@dataclass(frozen=True)
class Measured:
    """Evaluations by "model side", whether the trees beat logistic regression, and which is registered.

    Of that one: evaluations of its slices by "slice: value", and counts by probability.
    """

    models: dict[str, Evaluation]
    verdict: Verdict
    chosen: str
    slices: dict[str, Evaluation]
    counts: pd.DataFrame


def fit_models(asked: Asked, rows: DataFrame, prepared: Prepared, settings: Settings, plan: Plan) -> Fitted:
    """Logistic regression and trees on the train side, both calibrated on validation.

    A plan across executors grows its trees from `rows`; all else is asked of the training table.
    """
    question = partial(fit_both, settings=settings, plan=plan, base_rate=prepared.base_rate)
    [(logistic, grown)] = asked.ask([question], threads=plan.threads)
    trees = grown or across_executors(rows, prepared, settings, plan)
    line = linear.as_linear(logistic, prepared.order)
    models = {each.kind: fit_calibrated(rows, each, prepared, settings) for each in (line, trees.predictor)}
    return Fitted(trees, logistic, models)


def fit_both(
    table: TrainingTable, settings: Settings, plan: Plan, base_rate: float
) -> tuple[linear.FittedLogistic, estimators.FittedTrees | None]:
    """Both models as they are fitted; no trees for a plan across executors."""
    logistic = linear.fit_logistic(table, settings, plan.threads)
    return logistic, None if plan.across else estimators.fit_trees(table, settings, plan, base_rate)


def across_executors(
    rows: DataFrame, prepared: Prepared, settings: Settings, plan: Plan
) -> estimators.FittedTrees:
    """Trees on all of `rows`, wherever they lie."""
    from pozytywka_spark.training.across import fit_across  # xgboost.spark takes its time to load

    return fit_across(rows, prepared.order, settings, plan, prepared.base_rate)


def fit_calibrated(
    rows: DataFrame, predictor: Predictor, prepared: Prepared, settings: Settings
) -> ServingModel:
    """A model that can serve: a predictor, and the calibrator of its margins on the validation side."""
    model = ServingModel(
        predictor=predictor,
        features=prepared.order,
        catalogue_hash=prepared.catalogue,
        label=settings.label.column,
        horizon_days=settings.label.horizon_days,
        base_rate=prepared.base_rate,
        trained_until=f"{prepared.split.validation[-1]:%Y-%m}",
    )
    validation = rows.filter(F.col(SIDE) == VALIDATION)
    margins = with_margin(validation, model.predictor, model.features, [LABEL]).persist()
    try:
        return replace(model, calibrator=calibration.fit_calibrator(margins, settings.calibration))
    finally:
        margins.unpersist()


def with_city(rows: DataFrame, lake: Lake) -> DataFrame:
    """Add the user's city, if the lake has users."""
    return scores.join_city(rows, lake.read("users")) if lake.exists("users") else rows


def measure(rows: DataFrame, models: Mapping[str, ServingModel], settings: Settings) -> Measured:
    """All models on validation and test, the one to register on the test's slices, every row counted."""
    slices = scores.slices_of(rows.columns)
    scored = scores.with_scores(rows, models, slices).persist()
    try:
        chosen = settings.evaluation
        few = min(chosen.bootstrap, SLICE_REPLICATES)
        found = evaluate(scores.by_model(scored), replicates=chosen.bootstrap, seed=chosen.seed)
        verdict = compare(found, settings.gate)
        kind = chosen_kind(verdict, settings)
        return Measured(
            models=found,
            verdict=verdict,
            chosen=kind,
            slices=evaluate(scores.by_slice(scored, list(slices), kind), replicates=few, seed=chosen.seed),
            counts=histogram(scored, kind),
        )
    finally:
        scored.unpersist()
