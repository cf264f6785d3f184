"""What a ranking and a training both begin with, by tasks: the catalogue, users as arrays, the track side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.features.build.contents import contents_digest
from pozytywka_spark.feed import blobs
from pozytywka_spark.feed.catalogue import ARTISTS, TRACKS, catalogue_of
from pozytywka_spark.feed.integrity import FARMED_DAYS, farmed, play_counts
from pozytywka_spark.feed.listening import DAY_US, Listeners
from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.feed.reading import EVENTS, PLAY, SMALL, USERS, buyers_of, listeners_of, small
from pozytywka_spark.feed.track_side import Catalogue, Counts, Tracks, counts_of, tracks_of
from pozytywka_spark.hashing.digest import digest_of
from pozytywka_spark.hashing.slices import slice_of
from pozytywka_spark.lake.shards import DataFile, Parcel, Shard
from pozytywka_spark.lake.tasks import TaskFiles

CATALOGUE, SMALL_EVENTS, LISTENERS, PLAY_COUNTS, FARMED, COUNTS, TRACK_SIDE = (
    "catalogue",
    "small events",
    "listeners",
    "play counts",
    "farmed",
    "counts",
    "track side",
)
SHOWN_DAYS = 14  # whose feeds are looked back at
ROWS, FOLDED, TOTAL, PLAYS = "rows", "folded", "total", "plays"
ACCOUNTS, USERS_TOLD = "accounts", "users"


@dataclass(frozen=True)
class Batch:
    """A slice of the users: what they did, who of them had bought premium, and on which of the last days they
    had a session (`user_id`, `day`)."""

    listeners: Listeners
    buyers: Array
    present: pl.DataFrame


@dataclass(frozen=True)
class MakeCatalogue:
    """Work on one item: stages the catalogue, tells the digest of what it is made of."""

    tracks: tuple[DataFile, ...]
    artists: tuple[DataFile, ...]
    users: tuple[DataFile, ...]

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line."""
        for _ in items:
            tracks = files.read(self.tracks, TRACKS)
            artists = files.read(self.artists, ARTISTS)
            users = files.read(self.users, USERS)
            genres = (
                users.get_column("favourite_genres").drop_nulls().explode().drop_nulls().unique().to_list()
            )
            cities = users.get_column("city").drop_nulls().unique().to_list()
            files.stage(CATALOGUE, blobs.pack(catalogue_of(tracks, artists, cities, genres)))
            digests = [contents_digest(each) for each in (tracks, artists, users)]
            yield {"digest": digests, USERS_TOLD: users.height, "tracks": tracks.height}


@dataclass(frozen=True)
class SliceEvents:
    """Work on shards of events: stages SMALL_EVENTS by slice of users, tells the digest of what was read."""

    catalogue: Parcel
    slices: int
    until_us: int

    def __call__(self, items: Sequence[Shard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a shard."""
        catalogue = blobs.shared(files, self.catalogue, Catalogue)
        index = pl.DataFrame({"track_id": catalogue.track_id}, schema={"track_id": pl.String}).with_row_index(
            "track"
        )
        for shard in items:
            rows = small(files.read(shard.files, EVENTS), index, self.until_us)
            for (number,), part in rows.group_by(slice_of("user_id", self.slices), maintain_order=True):
                assert isinstance(number, int)
                files.stage(SMALL_EVENTS, part, (number,))
            digest = digest_of([rows.get_column(name).to_numpy() for name in rows.columns])
            plays = int((rows.get_column("kind") == PLAY).sum())
            yield {
                ROWS: digest.rows,
                FOLDED: str(digest.folded),
                TOTAL: str(digest.total),
                PLAYS: plays,
            }


@dataclass(frozen=True)
class SliceRows:
    """Work on a table's files: stages `columns` of their rows by slice of users, as parcels of `kind`."""

    kind: str
    columns: tuple[str, ...]
    slices: int

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        for item in items:
            rows = files.read([item], self.columns)
            for (number,), part in rows.group_by(slice_of("user_id", self.slices), maintain_order=True):
                assert isinstance(number, int)
                files.stage(self.kind, part, (number,))
        return iter(())


@dataclass(frozen=True)
class Slice:
    """A slice of users and its parcels of events."""

    number: int
    events: tuple[Parcel, ...]

    @property
    def size(self) -> int:
        """What its work weighs."""
        return sum(parcel.size for parcel in self.events) + 1


@dataclass(frozen=True)
class MakeListeners:
    """Work on slices: stages LISTENERS and, of the last 30 days, PLAY_COUNTS; tells ACCOUNTS with a play."""

    catalogue: Parcel
    users: tuple[DataFile, ...]
    slices: int
    cut_off_us: int

    def __call__(self, items: Sequence[Slice], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        catalogue = blobs.shared(files, self.catalogue, Catalogue)
        users = files.shared(self.users, USERS)
        for item in items:
            mine = users.filter(slice_of("user_id", self.slices) == item.number)
            events = files.read(item.events) if item.events else SMALL.to_frame()
            # how a play ended is known by then, or not
            events = events.filter(pl.col("time_us") < self.cut_off_us)
            listeners = listeners_of(events, mine, catalogue)
            files.stage(
                LISTENERS,
                blobs.pack(Batch(listeners, buyers_of(events), self._present(events))),
                (item.number,),
            )
            past = listeners.listening.between(self.cut_off_us - FARMED_DAYS * DAY_US, self.cut_off_us)
            plays = pl.DataFrame({"user_id": past.play_user, "track_id": past.play_track})
            files.stage(PLAY_COUNTS, play_counts(plays))
            yield {ACCOUNTS: len(np.unique(past.play_user)), USERS_TOLD: len(listeners)}

    def _present(self, events: pl.DataFrame) -> pl.DataFrame:
        late = events.filter(pl.col("time_us") >= self.cut_off_us - SHOWN_DAYS * DAY_US)
        day = pl.from_epoch(pl.col("time_us"), "us").dt.date().alias("day")
        return late.select("user_id", day).unique().sort("user_id", "day")


@dataclass(frozen=True)
class FindFarmed:
    """Work on one item: stages FARMED, the mask of farmed tracks, and tells how many there are."""

    counts: tuple[Parcel, ...]
    accounts: int
    at_least: int
    tracks: int

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line."""
        for _ in items:
            mask = np.zeros(self.tracks, bool)
            if self.counts:
                mask[farmed(files.read(self.counts), self.accounts, at_least=self.at_least)] = True
            files.stage(FARMED, blobs.pack(mask))
            yield {"farmed": int(mask.sum())}


@dataclass(frozen=True)
class CountUsers:
    """Work on LISTENERS: stages COUNTS, their sums."""

    catalogue: Parcel
    farmed: Parcel
    cut_off_us: int
    tastes_share: float

    def __call__(self, items: Sequence[Parcel], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        catalogue = blobs.shared(files, self.catalogue, Catalogue)
        mask = blobs.unpack(files, self.farmed, np.ndarray)
        for item in items:
            listeners = blobs.unpack(files, item, Batch).listeners
            counts = counts_of(listeners, catalogue, self.cut_off_us, mask, self.tastes_share)
            files.stage(COUNTS, blobs.pack(counts), item.key)
        return iter(())


@dataclass(frozen=True)
class MakeTracks:
    """Work on one item: stages TRACK_SIDE of all COUNTS, added in the order of their slices."""

    catalogue: Parcel
    counts: tuple[Parcel, ...]
    cut_off_us: int
    ridge: float
    most_tracks: int

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        for _ in items:
            ordered = sorted(self.counts, key=lambda parcel: parcel.key)
            counts: Counts = reduce(add, (blobs.unpack(files, parcel, Counts) for parcel in ordered))
            catalogue = blobs.unpack(files, self.catalogue, Catalogue)
            tracks: Tracks = tracks_of(
                catalogue, counts, self.cut_off_us, ridge=self.ridge, most_tracks=self.most_tracks
            )
            files.stage(TRACK_SIDE, blobs.pack(tracks))
        return iter(())
