"""Silver tables -> user_month, features and labels, guarded; only the months whose inputs have changed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, NoReturn

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.build import build_months, commit_tables
from pozytywka_spark.features.build.label_rows import LabelCount
from pozytywka_spark.features.build.lake_state import Look, look_at
from pozytywka_spark.features.build.prepared import Asked, Prepared, prepare
from pozytywka_spark.features.build.state_tables import Known, check_silver, read_known
from pozytywka_spark.features.build.texts import Queues
from pozytywka_spark.features.declared.catalogue import (
    catalogue_hash,
    declared_hash,
    feature_order,
    tables_needed,
)
from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.features.guards.canary import CANARY
from pozytywka_spark.features.guards.result import GuardResult
from pozytywka_spark.features.guards.run_guards import run_guards
from pozytywka_spark.features.lake_catalogue import entries_to_build
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_span import DataSpan
from pozytywka_spark.lake.open_tasks import workers_awake
from pozytywka_spark.lake.run_tasks import INLINE_BYTES
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.reports.notebook import card

_KERNELS = ("pozytywka_spark.features.build.second_pass", "pozytywka_spark.features.build.third_pass")


@dataclass(frozen=True)
class FeaturesReport:
    """What was built: months, rows of user-months, labels by month, the guards that passed, seconds by step.

    `stale` are months that changed inputs have made outdated and that were not asked for; `span` is where the
    data begin and end; `whole_because` says why all months were built although their inputs haven't changed.
    """

    rows: int
    features: int
    catalogue_hash: str
    months: Sequence[date]
    stale: Sequence[date]
    labels: Sequence[Mapping[str, Any]]
    guards: Sequence[GuardResult]
    seconds: Mapping[str, float]
    span: DataSpan
    whole_because: str | None = None

    def _repr_html_(self) -> str:
        title = f"{self.rows:,} rows, {self.features} features, catalogue {self.catalogue_hash[:12]}"
        tables = {"labels by month": self.labels, "guards": [vars(guard) for guard in self.guards]}
        lines = [self.span.described(), self.whole_because or "", f"{len(self.months)} months built"]
        return card(title, tables, lines)


@dataclass(frozen=True)
class Clock:
    """Seconds by step."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Note the seconds of a step."""
        start = time.monotonic()
        yield
        self.seconds[step] = self.seconds.get(step, 0.0) + time.monotonic() - start


def build_features(
    spark: SparkSession,
    settings: Settings,
    lake: Lake,
    *,
    months: tuple[date, date] | None = None,
    full: bool = False,
    features: Sequence[Feature] | None = None,
    commit: bool = True,
) -> FeaturesReport:
    """Build `user_month`, `features` and `labels` from the silver tables.

    By default of the months whose inputs changed since they were built; of the months between two
    with `months`; of all with `full`. The result is the same as that of a full build, exactly. Every
    table is replaced in one commit, the record of what was built last: an interrupted run is repeated.
    Months outside the data's span have no rows, however many stray events they hold; labels follow the
    span and the purchases, and are written anew when these have moved. `features`: unset, the settings'
    catalogue, of which those entries whose tables the lake has. Without `commit` the lake stays as it is.
    Raises `DataError` if a silver table is missing or without events, `GuardError` on leakage, before any
    commit.
    """
    clock = Clock()
    entries = entries_to_build(settings, lake) if features is None else tuple(features)
    order = feature_order(settings, entries)
    asked = Asked(entries, declared_hash(entries), months, full)
    with clock.timed("reading"):
        check_silver(lake)
        recorded = read_known(lake)
    with lake.tasks() as tasks:
        with clock.timed("reading"):
            look = look_at(lake, tasks, recorded, tables_needed(entries), Queues.of(settings.feedback))
        with _ready(spark, look):
            with clock.timed("first pass"):
                prepared = prepare(lake, tasks, settings, look, asked)
            after, guards = _build(settings, lake, tasks, prepared, entries, clock, commit=commit)
    if commit:
        with clock.timed("record"):
            commit_tables.commit_record(lake, prepared, after)
    counts = [asdict(after.labels[month]) for month in sorted(after.labels) if after.labels[month].rows]
    return FeaturesReport(
        rows=sum(row["rows"] for row in counts),
        features=len(order),
        catalogue_hash=catalogue_hash(settings, entries),
        months=list(prepared.chosen),
        stale=[each.month for each in prepared.inputs.months if after.built.get(each.month) != each.inputs],
        labels=counts,
        guards=guards,
        seconds=clock.seconds,
        span=prepared.inputs.span,
        whole_because=prepared.because,
    )


def send_canary(spark: SparkSession, settings: Settings, lake: Lake) -> NoReturn:
    """Build all months with a feature that leaks, and keep nothing.

    Raises `GuardError`: that of the guard which stops it, or one that says that none did.
    """
    features = (*entries_to_build(settings, lake), CANARY)
    build_features(spark, settings, lake, full=True, features=features, commit=False)
    raise GuardError(
        f"no guard stopped the canary, feature {CANARY.name}, which knows the user's next month: don't trust "
        "features until one does; is guards.perturbation on?"
    )


def _ready(spark: SparkSession, look: Look) -> AbstractContextManager[None]:
    """Workers that start while this process does what is small, if there is more to come."""
    size = sum(shard.size for shard in look.shards.of(look.new))
    return workers_awake(spark, _KERNELS) if size > INLINE_BYTES else nullcontext()


def _build(
    settings: Settings,
    lake: Lake,
    tasks: Tasks,
    prepared: Prepared,
    features: Sequence[Feature],
    clock: Clock,
    *,
    commit: bool,
) -> tuple[Known, list[GuardResult]]:
    """The passes over events, the guards, the commits; what the next run is to know, what the guards say."""
    labels: Mapping[date, LabelCount] = {}
    guards: list[GuardResult] = []
    if prepared.chosen or prepared.relabelled:
        build = build_months.build_of(settings, lake, tasks, prepared, features)
        with clock.timed("second pass"):
            measured = build_months.measure_months(build)
        with clock.timed("third pass"):
            made = build_months.make_features(build, measured)
        if prepared.chosen:
            with clock.timed("guards"):
                guards = run_guards(build, made)
        labels = made.labels
    if commit:
        with clock.timed("commits"):
            commit_tables.forget(lake, prepared)
            commit_tables.commit_purchases(lake, prepared)
            if prepared.chosen or prepared.relabelled:
                commit_tables.commit_months(build, made)
    return commit_tables.known_after(prepared, labels), guards
