"""Train a logged run again from its pinned tables and its logged settings, and say what differs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import TrackingError
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.training import estimators, linear, planner
from pozytywka_spark.training.estimators import XGBOOST
from pozytywka_spark.training.fitting import fit_calibrated, measure, with_city
from pozytywka_spark.training.prepare import prepare, read_rows
from pozytywka_spark.training.record import TUNED, metrics_of
from pozytywka_spark.training.splits import TRAIN
from pozytywka_spark.training.tracking import registry, runs
from pozytywka_spark.training.tracking.store import Tracking, connect
from pozytywka_spark.training.tuning import with_parameters

# What decides where things are, not what is trained: taken from today.
_PLACES = ("env", "home", "raw", "lake", "spark", "mlflow")
TOLERANCE = 1e-12


@dataclass(frozen=True)
class Reproduction:
    """A row for everything compared (what, then, now, same), and whether all of it is the same."""

    run_id: str
    rows: Sequence[Mapping[str, Any]]
    same: bool


def reproduce(spark: SparkSession, settings: Settings, lake: Lake, run_id: str) -> Reproduction:
    """Train run `run_id` again. Raises `TrackingError` if it isn't a finished training of this project,
    `LakeError` if a pinned version of a table is gone, `DataError` and `GuardError` as `train`.
    """
    tracking = connect(settings)
    tags, then = _logged(tracking, run_id)
    again = settings_of(then["settings"], settings)
    planned = read_rows(again, lake, then["versions"])
    rows = planned.rows.persist()
    try:
        prepared = replace(prepare(planned, rows, again, lake), versions=then["versions"])
        size = (prepared.sizes[TRAIN][0], len(prepared.order))
        plan = planner.plan(*size, planner.describe_cluster(spark), then["workers"])
        plan = replace(plan, threads=then["threads"])  # sums of floats depend on who adds which
        final = with_parameters(again, then["tuned"])  # what the search found counts, not the search
        logistic = linear.fit_logistic(rows, prepared.order, final)
        trees = estimators.fit_trees(rows, prepared.order, final, plan, prepared.base_rate)
        model = fit_calibrated(rows, trees, prepared, final)
        found = measure(with_city(rows, lake), model, logistic, final).models
    finally:
        rows.unpersist()
    compared = [
        _row("rows, settings, code and libraries", tags[registry.INPUTS], prepared.inputs),
        _row("catalogue", tags["pozytywka.catalogue_hash"], prepared.catalogue),
        _row("booster", then["booster"], _digest(model.booster)),
    ]
    metrics = metrics_of(XGBOOST, found)
    compared += [
        _number(name, value, metrics[name])
        for name, value in sorted(then["metrics"].items())
        if name in metrics
    ]
    return Reproduction(run_id, compared, all(row["same"] for row in compared))


def settings_of(logged: Mapping[str, Any], now: Settings) -> Settings:
    """The logged settings with today's places. Raises `TrackingError` if today's code doesn't know them."""
    today = now.resolved()
    try:
        return Settings.model_validate({**logged, **{name: today[name] for name in _PLACES}})
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
    booster = registry.load_version(tracking, version.number).booster
    return run.data.tags, {
        "settings": runs.read_json(tracking, run_id, "settings.json"),
        "versions": runs.read_json(tracking, run_id, "delta_versions.json"),
        "tuned": runs.read_json(tracking, run_id, TUNED),
        "workers": int(run.data.params["workers"]),
        "threads": int(run.data.params["threads"]),
        "metrics": dict(run.data.metrics),
        "booster": _digest(booster),
    }


def _digest(booster: bytes) -> str:
    return hashlib.sha256(booster).hexdigest()


def _row(what: str, then: str, now: str) -> dict[str, Any]:
    return {"what": what, "then": then[:16], "now": now[:16], "same": then == now}


def _number(what: str, then: float, now: float) -> dict[str, Any]:
    return {"what": what, "then": f"{then:.6f}", "now": f"{now:.6f}", "same": abs(then - now) <= TOLERANCE}
