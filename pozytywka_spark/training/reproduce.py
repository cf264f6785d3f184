"""Train a logged run again from its pinned tables and its logged settings, and say what differs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from pydantic import ValidationError
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.prepare import pin
from pozytywka_spark.dataset.table_job import training_table
from pozytywka_spark.errors import TrackingError
from pozytywka_spark.evaluation import trees_or_logistic
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.models.booster import Matrix, Predictor
from pozytywka_spark.models.linear_fit import SOLVER
from pozytywka_spark.models.names import LOGISTIC, XGBOOST
from pozytywka_spark.models.predictors import Linear
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.names import TRAIN
from pozytywka_spark.spark import resources
from pozytywka_spark.tracking import registry, runs
from pozytywka_spark.tracking.store import Tracking, connect
from pozytywka_spark.training.fit_and_measure import fit_models, grow_across, held_rows, measure
from pozytywka_spark.training.log_training import TUNED, metrics_of
from pozytywka_spark.training.tuning.tune import with_parameters

# What decides where things are, not what is trained: taken from today.
_PLACES = ("env", "home", "raw", "lake", "spark", "mlflow")
_BINS_ONCE = 256  # XGBoost's own, before there was `training.max_bin`
TOLERANCES = {XGBOOST: 1e-12, LOGISTIC: 1e-7}
OTHER_SOLVER = 1e-4  # of the coefficients' scale: as near as two solvers come that stop where they like
SPARK_ML = "Spark ML"
EQUAL_BUT_FOR_SOLVER = f"within {OTHER_SOLVER:g}, by another solver"
_EXACTLY = {XGBOOST: "to the last byte", LOGISTIC: "to seven digits"}


@dataclass(frozen=True)
class Reproduction:
    """A row for everything compared (what, then, now, same), whether all is the same, and how exactly.

    `notes`: what a reader of the rows must know.
    """

    run_id: str
    rows: Sequence[Mapping[str, Any]]
    same: bool
    exactly: str
    notes: Sequence[str] = ()


def reproduce(spark: SparkSession, settings: Settings, lake: Lake, run_id: str) -> Reproduction:
    """Train run `run_id` again. Raises `TrackingError` if it isn't a finished training of this project,
    `LakeError` if a pinned version of a table is gone, `DataError` and `GuardError` as `train`.
    """
    tracking = connect(settings)
    tags, then = _logged(tracking, run_id)
    again = settings_of(then["settings"], settings)
    pinned = pin(again, lake, then["versions"])
    with training_table(pinned, again, lake) as laid:
        prepared = laid.prepared
        size = (prepared.sizes[TRAIN][0], len(prepared.order))
        cluster, whole = resources.describe_cluster(spark), prepared.share == 1
        plan = resources.plan(*size, cluster, then["workers"], in_memory=whole)
        plan = replace(plan, threads=then["threads"])  # sums of floats depend on who adds which
        final = with_parameters(again, then["tuned"])  # what the search found counts, not the search
        across = partial(grow_across, pinned, prepared, final, plan, lake)
        fitted = fit_models(laid.asked, across, prepared, final, plan)
        measured = measure(laid.asked, fitted.models, final, rows=held_rows(prepared))
    solver = tags.get(registry.SOLVER, SPARK_ML)
    other_solver = solver != SOLVER
    line = OTHER_SOLVER if other_solver else TOLERANCES[LOGISTIC]
    compared = [
        _row("rows, settings, code and libraries", tags[registry.INPUTS], prepared.inputs),
        _row("catalogue", tags["pozytywka.catalogue_hash"], prepared.catalogue),
        _row("kind of model", then["model"].kind, measured.chosen),
        *compare_predictors(then["model"], fitted.models[then["model"].kind], other_solver=other_solver),
    ]
    metrics = metrics_of(measured.chosen, measured.models)
    both = trees_or_logistic.metrics_of(measured.verdict)  # as exact as the less exact of the two models
    exactly = {XGBOOST: TOLERANCES[XGBOOST], LOGISTIC: line}
    compared += [
        _number(name, value, (metrics | both)[name], exactly[LOGISTIC if name in both else measured.chosen])
        for name, value in sorted(then["metrics"].items())
        if name in metrics or name in both
    ]
    same = all(row["same"] for row in compared)
    notes = [about_solver(solver)] if other_solver else []
    meaning = (
        EQUAL_BUT_FOR_SOLVER if other_solver and measured.chosen == LOGISTIC else _EXACTLY[measured.chosen]
    )
    return Reproduction(run_id, compared, same, meaning, notes)


def about_solver(solver: str) -> str:
    """What a reader must know of a logistic regression that `solver` fitted."""
    return (
        f"logistic regression was fitted by another solver then ({solver}, now {SOLVER}): its coefficients "
        f"count as equal within {OTHER_SOLVER:g} of their scale, metrics that depend on it within "
        f"{OTHER_SOLVER:g}; they are not the same to the last digits"
    )


def compare_predictors(
    then: ServingModel, now: ServingModel, *, other_solver: bool = False
) -> list[dict[str, Any]]:
    """Trees byte by byte; a logistic model number by number, for libraries of arithmetic differ.

    `other_solver`: of two that stop at different distances from the optimum, by the numbers' scale.
    """
    if not (isinstance(then.predictor, Linear) and isinstance(now.predictor, Linear)):
        return [_row("booster", _digest(then.predictor), _digest(now.predictor))]
    columns = [np.array(_numbers_of(each)) for each in (then.predictor, now.predictor)]
    if columns[0].shape != columns[1].shape:
        return [_row("coefficients", str(len(columns[0])), str(len(columns[1])))]
    scale = _scales_of(then.predictor) if other_solver else np.maximum(np.abs(columns[0]), 1.0)
    widest = float(np.max(np.abs(columns[0] - columns[1]) / scale))
    tolerance = OTHER_SOLVER if other_solver else TOLERANCES[LOGISTIC]
    by = f"differ by {widest:.1e}" + (" of their scale" if other_solver else "")
    return [
        {"what": "coefficients", "then": f"{len(columns[0])} numbers", "now": by, "same": widest <= tolerance}
    ]


def _numbers_of(line: Linear) -> tuple[float, ...]:
    return (*line.means, *line.scales, *line.coefficients, line.intercept)


def _scales_of(line: Linear) -> Matrix:
    """Of each of `_numbers_of`: a column's deviation for its mean and itself, else the largest of them."""
    largest = max((abs(value) for value in line.coefficients), default=0.0) or 1.0
    return np.array([*line.scales, *line.scales, *([largest] * (len(line.coefficients) + 1))])


def settings_of(logged: Mapping[str, Any], now: Settings) -> Settings:
    """The logged settings with today's places. Raises `TrackingError` if today's code doesn't know them."""
    today = now.resolved()
    training = {"max_bin": _BINS_ONCE, **logged.get("training", {})}
    try:
        return Settings.model_validate(
            {**logged, "training": training, **{name: today[name] for name in _PLACES}}
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise TrackingError(
            f"the run's setting {where} is not one of today's code ({first['msg']}): check out its git commit"
        ) from None


def _logged(tracking: Tracking, run_id: str) -> tuple[Mapping[str, str], dict[str, Any]]:
    """Tags of the run, and what it logged that is needed."""
    run = runs.find(tracking, run_id)
    if run is None or registry.INPUTS not in run.data.tags or run.info.status != "FINISHED":
        raise TrackingError(
            f"run {run_id} is not a finished training at {tracking.uri}: the train job prints the run's name"
        )
    version = registry.version_of(tracking, run_id)
    if version is None:
        raise TrackingError(
            f"run {run_id} has no registered version of {tracking.model_name} to compare with"
        )
    return run.data.tags, {
        "settings": runs.read_json(tracking, run_id, "settings.json"),
        "versions": runs.read_json(tracking, run_id, "delta_versions.json"),
        "tuned": runs.read_json(tracking, run_id, TUNED),
        "workers": int(run.data.params["workers"]),
        "threads": int(run.data.params["threads"]),
        "metrics": dict(run.data.metrics),
        "model": registry.load_version(tracking, version.number),
    }


def _digest(predictor: Predictor) -> str:
    return hashlib.sha256(predictor.content()).hexdigest()


def _row(what: str, then: str, now: str) -> dict[str, Any]:
    return {"what": what, "then": then[:16], "now": now[:16], "same": then == now}


def _number(what: str, then: float, now: float, tolerance: float) -> dict[str, Any]:
    return {"what": what, "then": f"{then:.6f}", "now": f"{now:.6f}", "same": abs(then - now) <= tolerance}
