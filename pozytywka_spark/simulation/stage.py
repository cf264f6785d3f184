"""A scored month and the champion -> for each group of users what the platform could change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings, deciding
from pozytywka_spark.errors import DataError
from pozytywka_spark.features.catalogue import catalogue_hash, catalogue_of, feature_order
from pozytywka_spark.features.guards.names import check_hash, check_order
from pozytywka_spark.lake.api import Lake, Partition
from pozytywka_spark.schemas import SIMULATIONS
from pozytywka_spark.simulation.advice import FRONT, WARNING, Task, advisor
from pozytywka_spark.simulation.groups import read_scored, sampled, with_segment
from pozytywka_spark.simulation.levers import LEVERS, Lever, usable
from pozytywka_spark.simulation.page import render
from pozytywka_spark.simulation.refits import refit
from pozytywka_spark.simulation.segment import CONTEXT, Model
from pozytywka_spark.training.rows import content_hash
from pozytywka_spark.training.serving import ServingModel
from pozytywka_spark.training.tracking import registry, runs
from pozytywka_spark.training.tracking.notes import KIND, page_of, tell_run
from pozytywka_spark.training.tracking.store import Tracking, connect
from pozytywka_spark.wholemonth import ChosenMonth

FORMAT = 1
TAG = "pozytywka.simulation"
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class SimulationReport:
    """What could be changed: `fronts` are the rows of the table, `notes` what was left out and why.

    `complete`: the data cover the whole month.
    """

    month: date
    segment_by: str
    model_name: str
    model_version: int
    fronts: Rows
    notes: tuple[str, ...]
    path: str
    page: str
    run_id: str
    tracking_uri: str
    unchanged: bool
    complete: bool = True


def simulate(
    spark: SparkSession, settings: Settings, lake: Lake, month: date | None = None, by: str | None = None
) -> SimulationReport:
    """Search, segment by segment on the executors, what the platform could change for users of `month`.

    Replaces the partition of that month and grouping in `simulations`; the same features, model and settings
    leave it alone. Raises `TrackingError` without a champion, `DataError` for a month without its scores
    or no lever that can be moved, `GuardError` if its features aren't today's.
    """
    tracking = connect(settings)
    model = registry.load_model(tracking)
    check_order(model.features, feature_order(settings))
    check_hash(model.catalogue_hash, catalogue_hash(settings))
    by = by or settings.simulation.segment
    rows, chosen = read_scored(settings, lake, month, model)
    month = chosen.month
    levers, notes = usable(LEVERS, catalogue_of(settings), model.features, rows.columns)
    if not levers:
        raise DataError(f"nothing can be changed: {'; '.join(notes)}")
    identity = _identity(settings, model, rows, chosen, by)
    known = _partition(lake, month, by)
    unchanged = bool(known) and known[0]["simulation_id"] == identity
    if not unchanged:
        grouped = with_segment(rows, by, lake)
        task = _task(spark, settings, lake, model, levers)
        fronts = _fronts(grouped, levers, task, rows.columns)
        _write(fronts, lake, chosen, by, model, identity)
        known = _partition(lake, month, by)
    notes = (*([chosen.note] if chosen.note else []), *notes, *_small(with_segment(rows, by, lake), settings))
    page = render(known, month, model, notes)
    run = _log(tracking, settings, known, page, (month, by, model.version), identity)
    return SimulationReport(
        month=month,
        complete=chosen.complete,
        segment_by=by,
        model_name=model.name,
        model_version=model.version,
        fronts=known,
        notes=notes,
        path=lake.path(SIMULATIONS.name),
        page=page,
        run_id=run,
        tracking_uri=tracking.uri,
        unchanged=unchanged,
    )


def _task(
    spark: SparkSession, settings: Settings, lake: Lake, model: ServingModel, levers: Sequence[Lever]
) -> Task:
    moved = {name for lever in levers for name in lever.follow}
    return Task(
        model=Model(model.predictor, model.features, model.calibrator),
        refits=refit(spark, settings, lake, model),
        actionable=tuple(f.name for f in catalogue_of(settings) if f.actionable and f.name in moved),
        chosen=settings.simulation,
        value_of_sale=settings.scoring.policy.value_of_sale,
    )


def _fronts(grouped: DataFrame, levers: Sequence[Lever], task: Task, at_hand: Sequence[str]) -> DataFrame:
    """Grain: segment and point of its front; each segment is searched by one task."""
    needed = dict.fromkeys([*task.model.order, *CONTEXT, *(name for lever in levers for name in lever.needs)])
    columns = [name for name in needed if name in at_hand]
    rows = sampled(grouped, columns, task.chosen).where(F.col("users") >= task.chosen.min_users)
    return rows.groupBy("segment").applyInPandas(advisor(task, [lever.name for lever in levers]), FRONT)


def _write(
    fronts: DataFrame, lake: Lake, chosen: ChosenMonth, by: str, model: ServingModel, identity: str
) -> None:
    """One commit, one file: a front has some dozens of rows."""
    made = fronts.withColumns(
        {
            "month": F.lit(chosen.month),
            "complete": F.lit(chosen.complete),
            "segment_by": F.lit(by),
            "model_version": F.lit(model.version),
            "simulation_id": F.lit(identity),
        }
    )
    partition: Partition = {"month": chosen.month, "segment_by": by}
    lake.replace_partitions(SIMULATIONS.conform(made.repartition("month")), SIMULATIONS, [partition])


def _partition(lake: Lake, month: date, by: str) -> Rows:
    """The fronts of a month and grouping, in order: tens of rows a segment."""
    if not lake.exists(SIMULATIONS.name):
        return []
    rows = lake.read(SIMULATIONS.name, partitions=[{"month": month, "segment_by": by}])
    return [row.asDict() for row in rows.orderBy("segment", "point").collect()]


def _small(grouped: DataFrame, settings: Settings) -> list[str]:
    """The segments that were left out."""
    least = settings.simulation.min_users
    found = grouped.groupBy("segment").count().where(F.col("count") < least).orderBy("segment").collect()
    return [f"{row['segment']} is left out: {row['count']} users, fewer than {least}" for row in found]


def _identity(settings: Settings, model: ServingModel, rows: DataFrame, chosen: ChosenMonth, by: str) -> str:
    """Names everything that decides the fronts, so that they needn't be searched twice."""
    decisive = [
        FORMAT, model.name, model.version, model.run_id, chosen.month.isoformat(), chosen.complete, by,
        deciding(settings, "simulation"), content_hash(rows),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:32]


def _log(
    tracking: Tracking,
    settings: Settings,
    fronts: Rows,
    page: str,
    what: tuple[date, str, int],
    identity: str,
) -> str:
    """A run of its own for each simulation (month, grouping, model version), found again if logged before."""
    month, by, version = what
    known = runs.find_tagged(tracking, TAG, identity)
    if known is not None:
        return known
    suggested = [row for row in fronts if row["suggested"]]
    name = f"simulate v{version} · {month:%Y-%m} by {by}"
    tags = {KIND: "simulation", "version": str(version), "pozytywka.caveat": WARNING}
    with runs.run(tracking, name, tags=tags) as made:
        params = {f"simulation.{key}": value for key, value in settings.resolved()["simulation"].items()}
        metrics = {
            "segments": float(len(suggested)),
            "points": float(len(fronts)),
            **{
                f"suggested_{name}": float(sum(row[name] for row in suggested))
                for name in ("purchases", "change", "ad_income_lost", "cost", "gain")
            },
        }
        runs.log(
            tracking, made, params={"month": f"{month:%Y-%m}", "segment_by": by, **params}, metrics=metrics
        )
        plain = [{**row, "month": f"{row['month']:%Y-%m}"} for row in fronts]
        runs.log_json(tracking, made, {"warning": WARNING, "fronts": plain}, "fronts.json")
        runs.log_text(tracking, made, page, "simulation.html")
        link = page_of(tracking.experiment_id, made, "simulation.html", "The page")
        told = f"**{WARNING}**\n\n{len(suggested)} segments of {month:%Y-%m}, by {by}. {link} has the fronts."
        tell_run(tracking, made, name, tags, told)
        runs.tag(tracking, made, TAG, identity)  # last: a run that was cut short isn't found again
    return made
