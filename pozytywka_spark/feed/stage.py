"""Rank: everybody's page of a day, in one commit; the same inputs leave it alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings, deciding
from pozytywka_spark.errors import DataError, GuardError
from pozytywka_spark.feed import blobs
from pozytywka_spark.feed.arrange.rules import Rules
from pozytywka_spark.feed.earlier import FEED, SEEN
from pozytywka_spark.feed.inputs import Lists, check_day, check_plays, lists_named
from pozytywka_spark.feed.inventory.collect import Wanted
from pozytywka_spark.feed.model import Model, champion
from pozytywka_spark.feed.prepare import Prepared, Sliced, prepare, slice_events
from pozytywka_spark.feed.prepare_work import SHOWN_DAYS, SliceRows
from pozytywka_spark.feed.rank_work import SHARED, Look, MakeShared, RankUsers
from pozytywka_spark.feed.ranking import LIGHT, PAGE, RECALL, Plan
from pozytywka_spark.feed.stages import Counts, counts_of, counts_told, stage_rows
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.layout import buckets_of
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import Tasks

FORMAT = 1
IN_FULL = 200  # users whose every candidate goes through the heads, about


@dataclass(frozen=True)
class RankReport:
    """What was ranked; `before`: the feed that stood there, "" if none did. `unchanged`: it still does."""

    day: date
    feed_id: str
    model_version: str
    counts: Counts
    before: str = ""

    @property
    def unchanged(self) -> bool:
        """Whether the same inputs had made the same pages before."""
        return self.feed_id == self.before


def rank(settings: Settings, lake: Lake, day: date, *, only_free: bool = False) -> RankReport:
    """Replace the day's partition of `feed` with pages as of its midnight.

    Everybody's, or with `only_free` those of users who hadn't bought premium by then. Pages first, then what
    each stage did, which names the feed: broken off between, it is made again. Raises `DataError` where
    nothing was played or no page would have a track, `UsageError` for a day past the data's end,
    `TrackingError` without a trained model, `GuardError` if its features aren't today's.
    """
    lists = lists_named(settings)
    check_day(settings, lake, day)
    model = champion(settings)
    with lake.tasks() as tasks:
        sliced = slice_events(lake, tasks, day)
        check_plays(sliced.plays, day)
        feed_id = feed_id_of(settings, lake, tasks, day, sliced, model, lists, only_free=only_free)
        rows = stages_of(lake, day)
        before = rows[0]["feed_id"] if rows else ""
        if before == feed_id:
            return RankReport(day, feed_id, model.version, counts_of(rows), before)
        prepared = prepare(settings, tasks, sliced, day)
        look = look_of(settings, lake, tasks, day, sliced, prepared, model, lists)
        work = RankUsers(look, only_free, buckets_of(lake), model.version, feed_id)
        done = tasks.run(
            prepared.listeners,
            work,
            weight=lambda parcel: 64 * parcel.size,
            named=lambda parcel: f"pages of slice {parcel.key[0]} of users",
        )
        counts = counts_told(done.results)
        if not counts or not counts[PAGE, ""].tracks_out:
            raise DataError(f"no track is left for any page of {day}: the rules of feed.* remove them all")
        recall = counts[LIGHT, RECALL]
        if recall.tracks_in:
            check_recall(recall.tracks_out / recall.tracks_in, settings.feed.min_recall)
        partition, table = [{"feed_date": day}], schemas.FEED_STAGES
        if rows:  # broken off here, and taken back to the settings of before, it must not count as made
            lake.replace_partitions(as_table([], table), table, partition)
        lake.replace_partitions(done.written, schemas.FEED, partition)
        lake.replace_partitions(as_table(stage_rows(day, counts, feed_id), table), table, partition)
    return RankReport(day, feed_id, model.version, counts, before)


def check_recall(recall: float, least: float) -> None:
    """Raise `GuardError` if the light model loses too much of what the full ranker puts first."""
    if recall < least:
        raise GuardError(
            f"light pass: it keeps {recall:.3f} of the full ranker's first 50, feed.min_recall asks for "
            f"{least}: raise feed.light, or train again"
        )


def stages_of(lake: Lake, day: date) -> list[dict[str, Any]]:
    """Rows of `feed_stages` of a day; none if it wasn't ranked."""
    if not lake.exists(schemas.FEED_STAGES.name):
        return []
    rows: list[dict[str, Any]] = lake.rows(
        schemas.FEED_STAGES.name, partitions=[{"feed_date": day}]
    ).to_pylist()
    return rows


def plan_of(settings: Settings, day: date, model: Model, users: int) -> Plan:
    """What the settings and the model say of a day's ranking of so many users."""
    chosen = settings.feed
    return Plan(
        day=day,
        wanted=Wanted(chosen.candidates, chosen.caps, repeats=chosen.repeats == "allow"),
        keep=chosen.light,
        rules=Rules(
            page=chosen.page,
            spread=chosen.spread,
            new_artists=chosen.new_artists,
            explore=chosen.explore,
            sink=chosen.sink,
            arrange=chosen.arrange,
        ),
        weights=model.weights,
        in_full=min(1.0, IN_FULL / max(1, users)),
    )


def look_of(
    settings: Settings,
    lake: Lake,
    tasks: Tasks,
    day: date,
    sliced: Sliced,
    prepared: Prepared,
    model: Model,
    lists: Lists,
) -> Look:
    """Put down what every task of a ranking reads."""
    made = tasks.run(
        [0],
        MakeShared(prepared.tracks, prepared.farmed, lists.blocked, lists.promoted, settings.feed.candidates),
        weight=lambda _: prepared.tracks.size,
        named=lambda _: "what all users share",
    )
    feed, seen = _shown(lake, tasks, day)
    slices = len(sliced.slices)
    return Look(
        blobs.one_of(made.of(SHARED)),
        tasks.put("ranker", blobs.pack(model.ranker)),
        plan_of(settings, day, model, sliced.users),
        by_slice(tasks, feed, SliceRows("earlier feed", FEED, slices)),
        by_slice(tasks, seen, SliceRows("seen", SEEN, slices)),
    )


def other_model(settings: Settings, tasks: Tasks, look: Look, model: Model, users: int) -> Look:
    """The same look with another model."""
    plan = plan_of(settings, look.plan.day, model, users)
    return replace(look, ranker=tasks.put("ranker", blobs.pack(model.ranker)), plan=plan)


def _shown(lake: Lake, tasks: Tasks, day: date) -> tuple[Sequence[DataFile], Sequence[DataFile]]:
    """Files of the feeds, and of what was seen, of the days before."""
    days = [day - timedelta(days=number) for number in range(1, SHOWN_DAYS + 1)]
    feed = data_files(lake, tasks, schemas.FEED.name, None, [{"feed_date": each} for each in days])
    seen = data_files(lake, tasks, schemas.FEED_SEEN.name, None, [{"day": each} for each in days])
    return feed, seen


def by_slice(tasks: Tasks, files: Sequence[DataFile], work: SliceRows) -> Mapping[int, tuple[Parcel, ...]]:
    """A table's rows put down by slice of users."""
    done = tasks.run(files, work, weight=lambda file: file.size, named=lambda file: file.place)
    found: dict[int, tuple[Parcel, ...]] = {}
    for parcel in done.parcels:
        found[int(parcel.key[0])] = (*found.get(int(parcel.key[0]), ()), parcel)
    return found


def feed_id_of(
    settings: Settings,
    lake: Lake,
    tasks: Tasks,
    day: date,
    sliced: Sliced,
    model: Model,
    lists: Lists,
    *,
    only_free: bool,
) -> str:
    """Names all that decides the pages. Earlier feeds go in by their own names."""
    _, seen = _shown(lake, tasks, day)
    earlier = [
        (each.isoformat(), rows[0]["feed_id"])
        for each in (day - timedelta(days=number) for number in range(1, SHOWN_DAYS + 1))
        if (rows := stages_of(lake, each))
    ]
    inputs = [
        FORMAT,
        day.isoformat(),
        sliced.content,
        model.name,
        model.version,
        model.run_id,
        deciding(settings, "feed"),
        lists.blocked,
        lists.promoted,
        earlier,
        sorted(file.path for file in seen),
        only_free,
    ]
    return fingerprint_of(inputs)
