"""The two jobs that make signals: days measured by month and bucket, then accounts over all months."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.fraud.declared.declaration import measures_of
from pozytywka_spark.fraud.declared.load import DECLARED, signals_at
from pozytywka_spark.fraud.signals.account_rows import signal_rows, state_after
from pozytywka_spark.fraud.signals.day_events import COLUMNS
from pozytywka_spark.fraud.signals.day_rows import measure_days
from pozytywka_spark.fraud.signals.worlds import WORLDS, Guarded, How, check_unchanged, world_of
from pozytywka_spark.hashing.slices import slice_of
from pozytywka_spark.lake.shards import DataFile, Parcel, batches
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import signals_table

REAL = ""  # the world in which events are what they are
# Account-days with their measures; key: (world, month as YYYY-MM-DD, bucket)
DAYS = "days"
_STATE = ["user_id", "day", "account_age_days", "plays_so_far"]
_AT_ONCE = 500_000


@dataclass(frozen=True)
class DayShard:
    """Events of a month and a bucket of users, in the world as it was or in one of the guard's."""

    world: How | str
    month: date
    bucket: int
    events: tuple[DataFile, ...]

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(file.size for file in self.events)


@dataclass(frozen=True)
class MeasureDays:
    """Work on `DayShard`s: stages DAYS. `tracks`: the files of the table of tracks."""

    tracks: tuple[DataFile, ...]
    guarded: Guarded | None = None
    declared: str = DECLARED

    def __call__(self, items: Sequence[DayShard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Tells nothing."""
        measures = measures_of(signals_at(self.declared))
        for shard in items:
            events = files.read(shard.events, COLUMNS)
            if shard.world != REAL and self.guarded is not None:
                how: How = "deleted" if shard.world == WORLDS[0] else "scrambled"
                events = world_of(events, self.guarded, how)
            days = measure_days(events, artists_of(self.tracks, files), measures)
            files.stage(DAYS, days, (shard.world, shard.month.isoformat(), shard.bucket))
        yield from ()


@dataclass(frozen=True)
class UserSlice:
    """Some of a bucket's accounts over all months of the scan: its days, and earlier rows of signals.

    `worlds`: what the guard's worlds hold from the guarded month on, by world.
    """

    bucket: int
    number: int
    days: tuple[Parcel, ...]
    earlier: tuple[DataFile, ...]
    worlds: tuple[tuple[str, tuple[Parcel, ...]], ...] = ()

    @property
    def size(self) -> int:
        """Bytes that are read."""
        read: tuple[DataFile | Parcel, ...] = (*self.days, *self.earlier)
        return sum(one.size for one in read)


@dataclass(frozen=True)
class MakeSignals:
    """Work on `UserSlice`s: writes `signals` of `months`; tells how many rows the guard has `compared`.

    `buckets` of users there are, `slices` each goes in.
    Raises `GuardError` where a signal looks past its day's end.
    """

    months: tuple[date, ...]
    buckets: int
    slices: int
    guarded: Guarded | None = None
    declared: str = DECLARED

    def __call__(self, items: Sequence[UserSlice], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        for item in items:
            yield {"compared": self._make(item, files)}

    def _make(self, item: UserSlice, files: TaskFiles) -> int:
        signals = signals_at(self.declared)
        table = signals_table([signal.name for signal in signals])
        state = self._state(item, files)
        days = self._mine(item.days, item, files)
        if days is None:
            return 0
        made = signal_rows(days, state, signals, self.months[0])
        compared = 0
        for world, parcels in item.worlds:
            assert self.guarded is not None
            since = self.guarded.month
            changed = self._mine(parcels, item, files)
            past = days.filter(pl.col("day") < since)
            again = signal_rows(
                past if changed is None else pl.concat([past, changed]), state, signals, since
            )
            compared += check_unchanged(made, again, self.guarded, world)
        month = pl.col("day").dt.truncate("1mo")
        for (of_month,), rows in made.group_by(month, maintain_order=True):
            assert isinstance(of_month, date)
            files.write(table, rows, {"month": of_month, "user_bucket": item.bucket})
        return compared

    def _state(self, item: UserSlice, files: TaskFiles) -> pl.DataFrame | None:
        if not item.earlier:
            return None
        parts = [
            state_after(files.read(some, _STATE).filter(self._is_mine(item)))
            for some in batches(item.earlier, _AT_ONCE)
        ]
        return (
            pl.concat(parts).group_by("user_id").agg(pl.col("first_day").min(), pl.col("plays_before").max())
        )

    def _mine(self, parcels: Sequence[Parcel], item: UserSlice, files: TaskFiles) -> pl.DataFrame | None:
        if not parcels:
            return None
        return pl.concat([files.read([parcel]).filter(self._is_mine(item)) for parcel in parcels])

    def _is_mine(self, item: UserSlice) -> pl.Expr:
        return slice_of("user_id", self.slices, apart_from=self.buckets) == item.number


def artists_of(tracks: Sequence[DataFile], files: TaskFiles) -> pl.DataFrame:
    """`track_id` and `artist_id` of the table of tracks, a row a track with an id."""
    schema = {"track_id": pl.String(), "artist_id": pl.String()}
    if not tracks:
        return pl.DataFrame(schema=schema)
    rows = files.shared(tracks, ["id", "id_artist"]).rename({"id": "track_id", "id_artist": "artist_id"})
    return rows.filter(pl.col("track_id").is_not_null()).unique("track_id", keep="first", maintain_order=True)
