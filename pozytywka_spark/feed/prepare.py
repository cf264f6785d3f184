"""What a ranking and a training both begin with: users as arrays by slice, and the track side they share.

Slices follow from the number of users alone, never from how the lake is laid out or how many tasks run, so
that sums over them are added in one order whatever the partitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.feed import blobs
from pozytywka_spark.feed.prepare_work import (
    ACCOUNTS,
    CATALOGUE,
    COUNTS,
    FARMED,
    FOLDED,
    LISTENERS,
    PLAY_COUNTS,
    PLAYS,
    ROWS,
    SMALL_EVENTS,
    TOTAL,
    TRACK_SIDE,
    USERS_TOLD,
    CountUsers,
    FindFarmed,
    MakeCatalogue,
    MakeListeners,
    MakeTracks,
    Slice,
    SliceEvents,
)
from pozytywka_spark.feed.reading import EVENTS, SMALL, USERS
from pozytywka_spark.hashing.digest import Digest
from pozytywka_spark.hashing.slices import slices_for
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.shards import DataFile, Parcel, Shard
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.months import start_micros

USERS_AT_ONCE = 1000


@dataclass(frozen=True)
class Sliced:
    """Events before a day by slice of users, `plays` of them; `content` names all that was read."""

    catalogue: Parcel
    tracks: int
    users: int
    plays: int
    slices: tuple[Slice, ...]
    user_files: tuple[DataFile, ...]
    content: str


@dataclass(frozen=True)
class Prepared:
    """Users by slice as of a cut-off, and the track side."""

    cut_off: date
    catalogue: Parcel
    listeners: tuple[Parcel, ...]
    farmed: Parcel
    farmed_tracks: int
    tracks: Parcel


def slice_events(lake: Lake, tasks: Tasks, until: date) -> Sliced:
    """Read all events before midnight of the day `until`.

    Raises `DataError` without events, tracks, artists or users.
    """
    for table in ("events", "tracks", "artists", "users"):
        if not lake.exists(table):
            raise DataError(f"table {table} is not in {lake.root}: run the ingest job first")
    users = data_files(lake, tasks, "users", USERS)
    done = tasks.run(
        [0],
        MakeCatalogue(data_files(lake, tasks, "tracks"), data_files(lake, tasks, "artists"), users),
        weight=lambda _: 1,
        named=lambda _: "the catalogue",
    )
    told = done.results[0]
    catalogue = blobs.one_of(done.of(CATALOGUE))
    slices = slices_for(told[USERS_TOLD], USERS_AT_ONCE)
    shards = _shards_before(lake, tasks, until)
    sliced = tasks.run(
        shards,
        SliceEvents(catalogue, slices, start_micros(until)),
        weight=lambda shard: shard.size,
        named=lambda shard: f"events {dict(shard.partition)}",
    )
    digest = sum(
        (Digest(line[ROWS], int(line[FOLDED]), int(line[TOTAL])) for line in sliced.results), start=Digest()
    )
    by_slice: dict[int, tuple[Parcel, ...]] = {}
    for parcel in sliced.of(SMALL_EVENTS):
        number = int(parcel.key[0])
        by_slice[number] = (*by_slice.get(number, ()), parcel)
    return Sliced(
        catalogue=catalogue,
        tracks=told["tracks"],
        users=told[USERS_TOLD],
        plays=sum(line[PLAYS] for line in sliced.results),
        slices=tuple(Slice(number, by_slice.get(number, ())) for number in range(slices)),
        user_files=users,
        content=f"{' '.join(told['digest'])} {digest.named(list(SMALL))}",
    )


def listeners_until(tasks: Tasks, sliced: Sliced, day: date) -> Done:
    """Users with their events before midnight of the day, by slice: a parcel each."""
    work = MakeListeners(sliced.catalogue, sliced.user_files, len(sliced.slices), start_micros(day))
    return tasks.run(
        sliced.slices, work, weight=lambda one: one.size, named=lambda one: f"slice {one.number} of users"
    )


def prepare(settings: Settings, tasks: Tasks, sliced: Sliced, cut_off: date) -> Prepared:
    """As of midnight of the day `cut_off`, whatever else was read."""
    at, chosen = start_micros(cut_off), settings.feed
    made = listeners_until(tasks, sliced, cut_off)
    found = tasks.run(
        [0],
        FindFarmed(
            tuple(made.of(PLAY_COUNTS)),
            sum(line[ACCOUNTS] for line in made.results),
            chosen.farmed_plays,
            sliced.tracks,
        ),
        weight=lambda _: 1,
        named=lambda _: "farmed tracks",
    )
    farmed = blobs.one_of(found.of(FARMED))
    listeners = tuple(sorted(made.of(LISTENERS), key=lambda parcel: parcel.key))
    counted = tasks.run(
        listeners,
        CountUsers(sliced.catalogue, farmed, at, min(1.0, chosen.tastes_users / max(1, sliced.users))),
        weight=lambda parcel: parcel.size,
        named=lambda parcel: f"slice {parcel.key[0]} of users",
    )
    counts = tuple(counted.of(COUNTS))
    tracks = tasks.run(
        [0],
        MakeTracks(sliced.catalogue, counts, at, chosen.ridge, chosen.linear_tracks),
        weight=lambda _: sum(parcel.size for parcel in counts),
        named=lambda _: "the track side",
    )
    return Prepared(
        cut_off,
        sliced.catalogue,
        listeners,
        farmed,
        found.results[0]["farmed"],
        blobs.one_of(tracks.of(TRACK_SIDE)),
    )


def _shards_before(lake: Lake, tasks: Tasks, until: date) -> list[Shard]:
    shards = lake.shards("events", tasks, None, EVENTS)
    return [shard for shard in shards if shard.partition["event_month"] < until]
