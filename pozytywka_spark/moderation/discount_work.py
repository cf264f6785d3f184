"""Discounted plays, by tasks: which account-days are bad by month, then their plays in a month's events.

Of an account-day all plays of the day; of a ring its accounts' plays of the ring's tracks in the month, for
all else of theirs is camouflage of people's own. What two fouls name counts once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark import schemas
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.shards import Parcel, Shard
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.moderation.rows import Files, by_month
from pozytywka_spark.months import DAY_MICROS
from pozytywka_spark.names import PLAY

# Kinds of parcels, by month: user_id, day (null: all of it), track_id (null: all tracks); track_id, plays
BAD_DAYS, COUNTED = "bad_days", "counted"
DIGESTS = "digests"
_BAD_DAY = pl.Schema({"user_id": pl.Int64(), "day": pl.Date(), "track_id": pl.String(), "month": pl.Date()})


@dataclass(frozen=True)
class FindBadDays:
    """Work on numbers of slices of accounts: stages BAD_DAYS of fouls that stand, tells DIGESTS by month."""

    slices: int
    fouls: Files
    cases: Files
    rings: Files

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        for number in items:
            fouls = self.fouls.of_users(files, number, self.slices)
            rings = self.rings.of_users(files, number, self.slices)
            digests = {}
            for month, part in by_month(bad_days(fouls, self.cases.read(files), rings)):
                files.stage(BAD_DAYS, part, (month.isoformat(),))
                digests[month.isoformat()] = fingerprint_of(
                    [[str(value) for value in row] for row in part.rows()]
                )
            yield {DIGESTS: digests}


def bad_days(fouls: pl.DataFrame, cases: pl.DataFrame, rings: pl.DataFrame) -> pl.DataFrame:
    """A row an account and day, or account, month and track of a ring, of fouls that stand; sorted."""
    latest = fouls.sort("recorded_at").unique(["user_id", "case_id"], keep="last")
    standing = latest.filter(~pl.col("cancelled")).select("user_id", "case_id", "day")
    named = standing.join(cases.unique("case_id").select("case_id", "ring"), on="case_id", how="left")
    months = named.with_columns(month=pl.col("day").dt.truncate("1mo"))
    tracks = rings.explode("tracks").drop_nulls("tracks").rename({"tracks": "track_id"})
    of_rings = months.join(tracks, on=["month", "ring", "user_id"]).with_columns(day=pl.lit(None, pl.Date))
    of_days = months.join(tracks, on=["month", "ring", "user_id"], how="anti").with_columns(
        track_id=pl.lit(None, pl.String)
    )
    rows = pl.concat([frame.select(_BAD_DAY.names()) for frame in (of_rings, of_days)])
    return rows.unique().sort(_BAD_DAY.names())


@dataclass(frozen=True)
class CountPlays:
    """Work on shards of events of months that changed: stages COUNTED, plays by track."""

    bad_days: tuple[Parcel, ...]
    events: pl.Schema

    def __call__(self, items: Sequence[Shard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a shard."""
        for shard in items:
            month = shard.partition["event_month"].isoformat()
            mine = [parcel for parcel in self.bad_days if parcel.key == (month,)]
            if mine:
                bad = files.read(mine)
                for file in shard.files:
                    events = Files((file,), self.events).read(files)
                    files.stage(COUNTED, counted_plays(events, bad), (month,))
            yield {}


def counted_plays(events: pl.DataFrame, bad: pl.DataFrame) -> pl.DataFrame:
    """`track_id`, `plays` of events that are plays on a bad day, or of a ring's track."""
    users = bad.get_column("user_id").unique()
    plays = events.filter(
        (pl.col("event_type") == PLAY)
        & pl.col("track_id").is_not_null()
        & pl.col("user_id").is_in(users.implode())
    ).with_columns(day=(pl.col("event_time") // DAY_MICROS).cast(pl.Int32).cast(pl.Date))
    days = bad.filter(pl.col("day").is_not_null()).select("user_id", "day").unique()
    tracks = bad.filter(pl.col("track_id").is_not_null()).select("user_id", "track_id").unique()
    of_days = plays.join(days, on=["user_id", "day"], how="semi")
    of_rings = plays.join(days, on=["user_id", "day"], how="anti").join(
        tracks, on=["user_id", "track_id"], how="semi"
    )
    found = pl.concat([of_days.select("track_id"), of_rings.select("track_id")])
    return found.group_by("track_id").agg(pl.len().cast(pl.Int64).alias("plays")).sort("track_id")


@dataclass(frozen=True)
class AddUp:
    """Work on months: writes `discounted_plays` from what was counted of their shards."""

    counted: tuple[Parcel, ...]

    def __call__(self, items: Sequence[date], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a month."""
        for month in items:
            mine = [parcel for parcel in self.counted if parcel.key == (month.isoformat(),)]
            if mine:
                plays = files.read(mine).group_by("track_id").agg(pl.col("plays").sum()).sort("track_id")
                files.write(schemas.DISCOUNTED_PLAYS, plays, {"month": month})
            yield {}
