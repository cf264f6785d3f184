"""The second and the third job over the months that are built: files are written, none is committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from pozytywka_spark.config import Settings
from pozytywka_spark.features.build.earlier import Earlier, earlier_than
from pozytywka_spark.features.build.items import REAL, MonthShard, Source, UserSlice, slices_for
from pozytywka_spark.features.build.label_rows import LabelCount, LabelPlan, added
from pozytywka_spark.features.build.parcels import PLAYED
from pozytywka_spark.features.build.passes import user_slices
from pozytywka_spark.features.build.plan import CataloguePlan, plan_of
from pozytywka_spark.features.build.prepared import Prepared
from pozytywka_spark.features.build.second_pass import MeasureMonths
from pozytywka_spark.features.build.survey import without_ids
from pozytywka_spark.features.build.suspicion_sample import candidates, lowest
from pozytywka_spark.features.build.third_pass import LABELS, Item, MakeFeatures, OlderLabels, TracksPlayed
from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import Parcel, Shard, Written
from pozytywka_spark.lake.tasks import Done, Tasks


@dataclass(frozen=True)
class Build:
    """One run's work on its months: what it reads, and by which plan."""

    settings: Settings
    lake: Lake
    tasks: Tasks
    prepared: Prepared
    features: tuple[Feature, ...]
    plan: CataloguePlan
    events: tuple[Shard, ...]
    bought: Mapping[date, tuple[Source, ...]]
    earlier: Earlier
    slices: int

    @property
    def months(self) -> tuple[date, ...]:
        """The months built."""
        return self.prepared.chosen


@dataclass(frozen=True)
class Made:
    """Files of all tables and the guards' candidates, what the second job put down (`measured`, of which
    PLAYED as `played`), and what is counted of labels by month."""

    done: Done
    measured: tuple[Parcel, ...]
    played: tuple[Parcel, ...]
    labels: Mapping[date, LabelCount]

    def of(self, table: str) -> list[Written]:
        """The files of a table."""
        return [file for file in self.done.written if file.table == table]


def build_of(
    settings: Settings, lake: Lake, tasks: Tasks, prepared: Prepared, features: Sequence[Feature]
) -> Build:
    """What there is to read for the months chosen."""
    plan, months_built = plan_of(features), prepared.chosen
    events = tuple(prepared.shards.of(months_built))
    reach = max((months for _, months in plan.sums), default=1)
    earlier = Earlier()
    if months_built and not prepared.whole:
        earlier = earlier_than(lake, tasks, months_built[0], list(prepared.look.known.built), reach)
    rows = sum(shard.rows for shard in events)
    return Build(
        settings, lake, tasks, prepared, tuple(features), plan, events, prepared.bought(lake, tasks), earlier,
        slices_for(rows, prepared.buckets, tasks.slots, plan.columns),
    )  # fmt: skip


def measure_months(build: Build) -> Done:
    """The second job: the months' events to whole numbers."""
    first = build.prepared.first
    work = MeasureMonths(
        build.plan,
        first.tracks,
        first.users,
        {REAL: _flat(build.bought)},
        build.slices,
        build.prepared.buckets,
    )
    items = [
        MonthShard((REAL,), shard.partition["event_month"], shard.partition["user_bucket"], shard.files)
        for shard in build.events
    ]
    return build.tasks.run(
        items,
        work,
        weight=lambda item: without_ids(item.size),
        named=lambda item: f"events of {item.month:%Y-%m}, bucket {item.bucket}",
    )


def make_features(build: Build, measured: Done) -> Made:
    """The third job: everything of the months chosen, and labels of the months built before."""
    guards, played = build.settings.guards, tuple(measured.of(PLAYED))
    work = MakeFeatures(
        build.plan,
        build.months,
        build.prepared.first.tracks,
        (*build.earlier.plays, *played),
        _flat(build.bought),
        LabelPlan.of(build.prepared.inputs.span, build.settings.label),
        partial(candidates, rows=guards.suspicion_rows, seed=guards.seed),
        partial(lowest, rows=guards.suspicion_rows, seed=guards.seed),
        build.prepared.first.favourite_groups,
    )
    items: list[Item] = [*_slices(build, measured), *_older(build)]
    if played:
        items.append(TracksPlayed(build.months, played))
    done = build.tasks.run(items, work, weight=lambda item: item.size, named=_named)
    counts = added(facts for result in done.results for facts in result[LABELS])
    return Made(done, measured.parcels, played, {count.month: count for count in counts})


def _slices(build: Build, measured: Done) -> list[UserSlice]:
    return user_slices(measured.parcels, build.earlier.held, texts=build.prepared.first.texts)


def _older(build: Build) -> list[OlderLabels]:
    """Months that aren't built, but relabelled, or of labels that a guard looks at beside the new ones."""
    relabelled = set(build.prepared.relabelled)
    months = set(relabelled)
    if build.months:
        months |= {month for month in build.prepared.look.known.built if month < build.months[0]}
    if not months or build.prepared.whole:
        return []
    shards = build.lake.shards("user_month", build.tasks, [{"month": month} for month in sorted(months)])
    return [
        OlderLabels(month, shard.partition["user_bucket"], shard.files, written=month in relabelled)
        for shard in shards
        for month in [shard.partition["month"]]
    ]


def _flat(bought: Mapping[date, tuple[Source, ...]]) -> tuple[Source, ...]:
    return tuple(one for month in sorted(bought) for one in bought[month])


def _named(item: Item) -> str:
    if isinstance(item, UserSlice):
        return f"slice {item.number} of users of bucket {item.bucket}"
    if isinstance(item, TracksPlayed):
        return "plays by track"
    return f"labels of {item.month:%Y-%m}, bucket {item.bucket}"
