"""A scored month and the champion -> for each group of users what the platform could change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, deciding
from pozytywka_spark.errors import DataError, require
from pozytywka_spark.features.declared.catalogue import declared_for
from pozytywka_spark.features.guards.feature_names import check_hash, check_order
from pozytywka_spark.features.lake_catalogue import built_catalogue
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake, Partition
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.lake.whole_month import ChosenMonth
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.names import TOP_GROUP
from pozytywka_spark.reports.notebook import card
from pozytywka_spark.schemas import SIMULATIONS
from pozytywka_spark.scoring.content import digest_files
from pozytywka_spark.scoring.month_work import parts_of
from pozytywka_spark.simulation.bootstrap_models import refit
from pozytywka_spark.simulation.levers import LEVERS, Lever, usable
from pozytywka_spark.simulation.page import render
from pozytywka_spark.simulation.recommendations import WARNING, AdviseOn, GroupedUsers, Task
from pozytywka_spark.simulation.segment import CONTEXT, Model
from pozytywka_spark.simulation.segments import (
    GROUPED,
    GroupUsers,
    ScoredFiles,
    choose_scored,
    scored_files,
    sizes_told,
)
from pozytywka_spark.tracking import registry, runs
from pozytywka_spark.tracking.notes import KIND, describe_run, page_of
from pozytywka_spark.tracking.store import Tracking, connect

FORMAT = 2
TAG = "pozytywka.simulation"
Rows = Sequence[Mapping[str, Any]]
_BYTES_A_SEARCH = (
    1 << 20
)  # a segment takes about as long as kernels take for so much: up to four in this process


@dataclass(frozen=True)
class SimulationReport:
    """What could be changed: `fronts` are the rows of the table, `notes` what was left out and why.

    `complete`: the data cover the whole month; `page` is the HTML text, `page_file` where it was written.
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
    page_file: str = ""

    def _repr_html_(self) -> str:
        title = f"{self.month:%Y-%m} by {self.model_name} version {self.model_version}"
        columns = ("segment", "users", "advice", "change", "low", "high", "gain")
        suggested = [{name: row[name] for name in columns} for row in self.fronts if row["suggested"]]
        return card(title, {"suggested": suggested}, [*self.notes, WARNING], self.page_file)


def simulate(
    spark: SparkSession, settings: Settings, lake: Lake, month: date | None = None, by: str | None = None
) -> SimulationReport:
    """Search, segment by segment on the executors, what the platform could change for users of `month`.

    Replaces the partition of that month and grouping in `simulations`; the same features, model and settings
    leave it alone. Raises `TrackingError` without a champion, `DataError` for a month without its scores
    or no lever that can be moved, `GuardError` if its features aren't today's.
    """
    require("simulation")
    tracking = connect(settings)
    model = registry.load_model(tracking)
    catalogue = built_catalogue(settings, lake)
    check_order(model.features, catalogue.order)
    check_hash(model.catalogue_hash, catalogue.hash)
    by = by or settings.simulation.segment
    chosen_month = choose_scored(settings, lake, month, model)
    month = chosen_month.month
    with lake.tasks() as tasks:
        files = scored_files(lake, tasks, month, by, model)
        levers, notes = usable(LEVERS, declared_for(settings), model.features, files.columns)
        if not levers:
            raise DataError(f"nothing can be changed: {'; '.join(notes)}")
        needed = _columns(files, model, levers)
        grouped = _grouped(tasks, files, by, needed, settings)
        sizes = sizes_told(grouped.results, sum(file.rows for file in files.predictions), chosen_month, model)
        identity = _identity(settings, model, _content(tasks, files, needed), chosen_month, by)
        stored = _partition(lake, month, by)
        unchanged = bool(stored) and stored[0]["simulation_id"] == identity
        if not unchanged:
            task = _task(tasks, settings, lake, model, levers)
            fronts = _fronts(tasks, grouped, sizes, levers, task)
            _write(fronts, lake, chosen_month, by, model, identity)
            stored = _partition(lake, month, by)
    notes = (*([chosen_month.note] if chosen_month.note else []), *notes, *_small(sizes, settings))
    page = render(stored, month, model, notes)
    run = _log(tracking, settings, stored, page, (month, by, model.version), identity)
    return SimulationReport(
        month=month,
        complete=chosen_month.complete,
        segment_by=by,
        model_name=model.name,
        model_version=model.version,
        fronts=stored,
        notes=notes,
        path=lake.path(SIMULATIONS.name),
        page=page,
        run_id=run,
        tracking_uri=tracking.uri,
        unchanged=unchanged,
    )


def _task(tasks: Tasks, settings: Settings, lake: Lake, model: ServingModel, levers: Sequence[Lever]) -> Task:
    moved = {name for lever in levers for name in lever.follow}
    return Task(
        model=Model(model.predictor, model.features, model.calibrator),
        refits=refit(tasks, settings, lake, model),
        actionable=tuple(f.name for f in declared_for(settings) if f.actionable and f.name in moved),
        simulation=settings.simulation,
        value_of_sale=settings.scoring.policy.value_of_sale,
    )


def _columns(files: ScoredFiles, model: ServingModel, levers: Sequence[Lever]) -> tuple[str, ...]:
    """The features that a search looks at."""
    needed = dict.fromkeys([*model.features, *CONTEXT, *(name for lever in levers for name in lever.needs)])
    return tuple(name for name in needed if name in files.columns)


def _grouped(tasks: Tasks, files: ScoredFiles, by: str, columns: tuple[str, ...], settings: Settings) -> Done:
    simulation = settings.simulation
    work = GroupUsers(
        by, columns, files.predictions, files.users, _most(settings), simulation.seed, files.groups
    )
    return tasks.run(
        parts_of(files.features), work, weight=lambda part: part.size, named=lambda part: part.files[0].place
    )


def _most(settings: Settings) -> int:
    """As many users of each segment as tries and neighbours need."""
    return max(settings.simulation.rows, settings.simulation.neighbours)


def _content(tasks: Tasks, files: ScoredFiles, columns: tuple[str, ...]) -> tuple[str, ...]:
    groups = [TOP_GROUP] if files.groups else []
    content = (
        digest_files(tasks, files.features, ["user_id", "month", *columns, *groups]),
        digest_files(tasks, files.predictions, ["user_id", "month", "probability"]),
    )
    return (*content, fingerprint_of(sorted(files.groups.items()))) if groups else content


def _fronts(
    tasks: Tasks,
    grouped: Done,
    sizes: Mapping[str, tuple[int, float]],
    levers: Sequence[Lever],
    task: Task,
) -> Rows:
    """A row a segment and point of its front."""
    parcels = tuple(sorted(grouped.of(GROUPED), key=lambda parcel: parcel.place))
    segments = [
        GroupedUsers(name, users, purchases, parcels)
        for name, (users, purchases) in sizes.items()
        if users >= task.simulation.min_users
    ]
    most = max(task.simulation.rows, task.simulation.neighbours)
    work = AdviseOn(task, tuple(lever.name for lever in levers), most)
    done = tasks.run(segments, work, weight=lambda _: _BYTES_A_SEARCH, named=lambda segment: segment.name)
    return done.results


def _write(
    fronts: Rows, lake: Lake, chosen_month: ChosenMonth, by: str, model: ServingModel, identity: str
) -> None:
    """One commit, one file: a front has some dozens of rows."""
    alike = {
        "month": chosen_month.month,
        "complete": chosen_month.complete,
        "segment_by": by,
        "model_version": model.version,
        "simulation_id": identity,
    }
    rows = [alike | {**front, "changes": list(front["changes"].items())} for front in fronts]
    made = pa.Table.from_pylist(rows, schema=arrow_schema(SIMULATIONS.schema))
    partition: Partition = {"month": chosen_month.month, "segment_by": by}
    lake.replace_partitions(made, SIMULATIONS, [partition])


def _partition(lake: Lake, month: date, by: str) -> Rows:
    """The fronts of a month and grouping, in order: tens of rows a segment."""
    if not lake.exists(SIMULATIONS.name):
        return []
    rows = lake.rows(SIMULATIONS.name, partitions=[{"month": month, "segment_by": by}]).to_pylist()
    plain = [{**row, "changes": dict(row["changes"])} for row in rows]
    return sorted(plain, key=lambda row: (row["segment"], row["point"]))


def _small(sizes: Mapping[str, tuple[int, float]], settings: Settings) -> list[str]:
    """The segments that were left out."""
    least = settings.simulation.min_users
    return [
        f"{name} is left out: {users} users, fewer than {least}"
        for name, (users, _) in sizes.items()
        if users < least
    ]


def _identity(
    settings: Settings, model: ServingModel, content: Sequence[str], chosen_month: ChosenMonth, by: str
) -> str:
    """Names everything that decides the fronts, so that they needn't be searched twice."""
    decisive = [
        FORMAT, model.name, model.version, model.run_id,
        chosen_month.month.isoformat(), chosen_month.complete, by,
        deciding(settings, "simulation"), *content,
    ]  # fmt: skip
    return fingerprint_of(decisive)


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
    tagged = runs.find_tagged(tracking, TAG, identity)
    if tagged is not None:
        return tagged
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
        text = f"**{WARNING}**\n\n{len(suggested)} segments of {month:%Y-%m}, by {by}. {link} has the fronts."
        describe_run(tracking, made, name, tags, text)
        runs.tag(tracking, made, TAG, identity)  # last: a run that was cut short isn't found again
    return made
