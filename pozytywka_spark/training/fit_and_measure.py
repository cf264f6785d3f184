"""Both models, their calibrators, and how all do beside each other: the part that a reproduction repeats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.prepare import Pinned, Prepared, spark_rows
from pozytywka_spark.dataset.questions import Asked
from pozytywka_spark.dataset.table import TrainingTable
from pozytywka_spark.evaluation.evaluate import finished, ranges
from pozytywka_spark.evaluation.metrics import Evaluation
from pozytywka_spark.evaluation.scores import calibrator_of, sums_by_model, sums_of_chosen
from pozytywka_spark.evaluation.trees_or_logistic import Verdict, chosen_kind, compare
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.models.booster import Predictor
from pozytywka_spark.models.calibration import Calibrator
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.names import TEST, VALIDATION
from pozytywka_spark.spark.resources import Plan
from pozytywka_spark.training import estimators, linear

if TYPE_CHECKING:
    import pandas as pd
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


def fit_models(
    asked: Asked,
    across: Callable[[], estimators.FittedTrees],
    prepared: Prepared,
    settings: Settings,
    plan: Plan,
) -> Fitted:
    """Logistic regression and trees on the train side, both calibrated on validation.

    A plan across executors grows its trees by `across`; all else is asked of the training table.
    """
    question = partial(fit_both, settings=settings, plan=plan, base_rate=prepared.base_rate)
    [(line, here)] = asked.ask([question], threads=plan.threads)
    trees, calibrator = here or _calibrated(asked, across(), settings)
    linear_model = as_model(linear.as_linear(line[0], prepared.order), line[1], prepared, settings)
    boosted = as_model(trees.predictor, calibrator, prepared, settings)
    return Fitted(trees, line[0], {model.kind: model for model in (linear_model, boosted)})


def fit_both(
    table: TrainingTable, settings: Settings, plan: Plan, base_rate: float
) -> tuple[tuple[linear.FittedLogistic, Calibrator], tuple[estimators.FittedTrees, Calibrator] | None]:
    """Both models, each with its calibrator; no trees for a plan across executors.

    The trees grow beside the line: both are compiled code, which lets the other run.
    """
    if plan.across:
        return _line(table, settings, plan.threads), None
    with ThreadPoolExecutor(1) as beside:
        trees = beside.submit(_trees, table, settings, plan, base_rate)
        # in this thread: in another one its last digits are others
        line = _line(table, settings, plan.threads)
        return line, trees.result()


def _line(table: TrainingTable, settings: Settings, threads: int) -> tuple[linear.FittedLogistic, Calibrator]:
    logistic = linear.fit_logistic(table, settings, threads)
    return logistic, _calibrator(table, linear.as_linear(logistic, table.order), settings)


def _trees(
    table: TrainingTable, settings: Settings, plan: Plan, base_rate: float
) -> tuple[estimators.FittedTrees, Calibrator]:
    trees = estimators.fit_trees(table, settings, plan, base_rate)
    return trees, _calibrator(table, trees.predictor, settings)


def _calibrator(table: TrainingTable, predictor: Predictor, settings: Settings) -> Calibrator:
    calibration = settings.calibration
    return calibrator_of(table, predictor, calibration.method, calibration.isotonic_positives)


def grow_across(
    pinned: Pinned, prepared: Prepared, settings: Settings, plan: Plan, lake: Lake
) -> estimators.FittedTrees:
    """Trees on all rows of the training table, wherever they lie."""
    from pozytywka_spark.training.across_executors import fit_across  # xgboost.spark takes its time to load

    rows = spark_rows(pinned, prepared.split, settings, lake)
    return fit_across(rows, prepared.order, settings, plan, prepared.base_rate)


def _calibrated(
    asked: Asked, trees: estimators.FittedTrees, settings: Settings
) -> tuple[estimators.FittedTrees, Calibrator]:
    [calibrator] = asked.ask([partial(_calibrator, predictor=trees.predictor, settings=settings)])
    return trees, calibrator


def as_model(
    predictor: Predictor, calibrator: Calibrator, prepared: Prepared, settings: Settings
) -> ServingModel:
    """A model that can serve."""
    return ServingModel(
        predictor=predictor,
        features=prepared.order,
        catalogue_hash=prepared.catalogue,
        label=settings.label.column,
        horizon_days=settings.label.horizon_days,
        base_rate=prepared.base_rate,
        trained_until=f"{prepared.split.validation[-1]:%Y-%m}",
        calibrator=calibrator,
    )


def held_rows(prepared: Prepared) -> int:
    """About how many rows the table has of the larger of validation and test."""
    return round(prepared.share * max(prepared.sizes[side][0] for side in (VALIDATION, TEST)))


def measure(
    asked: Asked, models: Mapping[str, ServingModel], settings: Settings, *, rows: int = 0
) -> Measured:
    """All models on validation and test, the one to register on the test's slices, every row counted.

    Validation has exact values and no replicates.
    Replicates are cut into questions by `rows`, about how many the larger of both sides has.
    """
    evaluation = settings.evaluation
    few = min(evaluation.bootstrap, SLICE_REPLICATES)
    cut = ranges(4 * rows, evaluation.bootstrap)  # as many models stand beside each other
    by_model = [
        partial(sums_by_model, side=side, models=models, seed=evaluation.seed, first=first, count=count)
        for side, parts in ((VALIDATION, [(0, 1)]), (TEST, cut))  # nobody asks how sure validation's are
        for first, count in parts
    ]
    sums = asked.ask(by_model)
    evaluations = finished(sums[:1]) | finished(sums[1:])
    verdict = compare(evaluations, settings.gate)
    kind = chosen_kind(verdict, settings)
    of_chosen = [
        partial(sums_of_chosen, model=models[kind], seed=evaluation.seed, first=first, count=count)
        for first, count in ranges(4 * rows, few)  # each row is in as many slices
    ]
    answers = asked.ask(of_chosen)
    return Measured(
        models=evaluations,
        verdict=verdict,
        chosen=kind,
        slices=finished([part.slices for part in answers]),
        counts=answers[0].counts,
    )
