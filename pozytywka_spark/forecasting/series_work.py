"""A month of a bucket's events counted by day, city and genre group. No Spark here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.features.declared.event_codes import is_kind, is_like, is_play, kind_of
from pozytywka_spark.forecasting.sides import TRACK_ROWS, users_of
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.months import DAY_MICROS
from pozytywka_spark.names import ADVERTISEMENT, BUY_PREMIUM, LIKE, PLAY, SKIP

COLUMNS = ("user_id", "event_time", "event_type", "session_id", "track_id")  # what is read of events
# Kinds of parcels, by month: sums by day, city and group; active users by day and city; users active in the
# month by city; tracks by day on which they were played; ids of tracks that events name.
COUNTS, ACTIVE, ACTIVE_MONTH, PLAYED, NAMED = "counts", "active", "active_month", "played", "named"
FIRSTS = "firsts"  # by bucket and month: users with the days of their first event and purchase in it
_ORDER = ("user_id", "session_id", "day", "at", "kind", "track")
_LONGEST_MS = 1 << 43  # longer than any month, and its microseconds still fit


@dataclass(frozen=True)
class EventShard:
    """Events of a month and a bucket of users, and the parcels USERS of that bucket."""

    month: date
    bucket: int
    events: tuple[DataFile, ...]
    users: tuple[Parcel, ...]

    @property
    def size(self) -> int:
        """Bytes of its events."""
        return sum(file.size for file in self.events)


@dataclass(frozen=True)
class Names:
    """Known cities and groups in order: a code is a place among them, the one after the last is unknown."""

    cities: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True)
class CountShards:
    """Work on `EventShard`s: counts events in `[since, until)`, microseconds since 1970.

    `tracks`: parcels TRACKS, of one row a track. Tells of each shard whether a city or a group is `unknown`.
    """

    tracks: tuple[Parcel, ...]
    names: Names
    since: int
    until: int

    def __call__(self, items: Sequence[EventShard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a shard."""
        for item in items:
            tracks = files.shared(self.tracks) if self.tracks else TRACK_ROWS.to_frame()
            rows = numbered(
                files.read(item.events, COLUMNS), users_of(item.users, files), tracks, self.names,
                self.since, self.until,
            )  # fmt: skip
            counts = counted(rows)
            month = str(item.month)
            files.stage(COUNTS, counts, (month,))
            users = rows.filter(pl.col("user_id").is_not_null())
            daily = users.select("day", "city", "user_id").unique()
            files.stage(ACTIVE, daily.group_by("day", "city").agg(active_users=_number()), (month,))
            firsts = first_days(users)
            files.stage(ACTIVE_MONTH, firsts.group_by("city").agg(active=_number()), (month,))
            files.stage(FIRSTS, firsts, (item.bucket, month))
            known = rows.filter(is_play() & pl.col("track").is_not_null())
            files.stage(PLAYED, known.select("day", "track").unique(), (month,))
            files.stage(NAMED, rows.select(pl.col("track", "stray")).unique(), (month,))
            yield {"month": month, "unknown": self._unknown(counts)}

    def _unknown(self, counts: pl.DataFrame) -> list[bool]:
        """Whether there is a city, and among what has a track a group, without a name."""
        of_tracks = pl.sum_horizontal("plays", "skips", "likes") > 0
        city = pl.col("city") == len(self.names.cities)
        group = (pl.col("group") == len(self.names.groups)) & of_tracks
        return list(counts.select(city.any(), group=group.any()).row(0)) if counts.height else [False, False]


def numbered(
    events: pl.DataFrame, users: pl.DataFrame, tracks: pl.DataFrame, names: Names, since: int, until: int
) -> pl.DataFrame:
    """Grain: event in `[since, until)`. `COLUMNS` of events as `user_id`, `session_id`, `at` (microseconds),
    `day` (days since 1970), `kind`, codes `city` and `group`, `track` (place among `tracks`), `stray` (the id
    of a track that isn't among them) and `duration_us` of the track.
    """
    at = pl.col("event_time").dt.epoch("us")
    group = pl.col("group_id").cast(pl.Enum(names.groups)).to_physical().cast(pl.Int32)
    places = tracks.with_row_index("track").select("track_id", "track", "duration_ms", group=group)
    city = pl.col("city").cast(pl.Enum(names.cities)).to_physical().cast(pl.Int32)
    rows = events.filter((at >= since) & (at < until)).select(
        "user_id",
        "session_id",
        "track_id",
        at.alias("at"),
        day=(at // DAY_MICROS).cast(pl.Int32),
        kind=kind_of(pl.col("event_type")),
    )
    joined = rows.join(places, on="track_id", how="left").join(
        users.select("user_id", city), on="user_id", how="left"
    )
    return joined.select(
        "user_id",
        "session_id",
        "at",
        "day",
        "kind",
        "track",
        pl.col("city").fill_null(len(names.cities)),
        pl.col("group").fill_null(len(names.groups)),
        stray=pl.when(pl.col("track").is_null()).then("track_id"),
        duration_us=pl.col("duration_ms").clip(upper_bound=_LONGEST_MS) * 1000,
    )


def counted(rows: pl.DataFrame) -> pl.DataFrame:
    """Grain: day, city and group with an event; whole numbers. `rows` as of `numbered`."""
    kinds = {"plays": PLAY, "skips": SKIP, "likes": LIKE, "adverts": ADVERTISEMENT, "purchases": BUY_PREMIUM}
    counts = rows.group_by("day", "city", "group").agg(
        is_kind(kind).sum().cast(pl.Int64).alias(name) for name, kind in kinds.items()
    )
    listened = with_listened(rows).group_by("day", "city", "group").agg(pl.col("listened_us").sum())
    keys = ["day", "city", "group"]
    return counts.join(listened, on=keys, how="left").with_columns(pl.col("listened_us").fill_null(0))


def with_listened(rows: pl.DataFrame) -> pl.DataFrame:
    """Grain: PLAY, with `listened_us`: until the next event but LIKE of its session on that day, at most the
    track's duration, never past midnight; 0 where neither is known.

    As the features' `listened`, with the day in the month's place: what comes after a day can't change it.
    """
    ordered = rows.filter(~is_like()).sort(_ORDER)
    same = pl.all_horizontal(
        pl.col(name).shift(-1).eq_missing(pl.col(name)) for name in ("user_id", "session_id", "day")
    ) & (pl.int_range(pl.len()) < pl.len() - 1)
    until_next = pl.when(same).then(pl.col("at").shift(-1) - pl.col("at"))
    until_midnight = (pl.col("day").cast(pl.Int64) + 1) * DAY_MICROS - pl.col("at")
    bounded = until_next.is_not_null() | pl.col("duration_us").is_not_null()
    listened = pl.min_horizontal("duration_us", until_next, until_midnight)
    timed = ordered.with_columns(listened_us=pl.when(bounded).then(listened).otherwise(0))
    return timed.filter(is_play())


def first_days(rows: pl.DataFrame) -> pl.DataFrame:
    """Grain: user. `city`, and the days of the first event and of the first purchase among the rows."""
    bought = pl.when(is_kind(BUY_PREMIUM)).then("day").min()
    return rows.group_by("user_id").agg(
        pl.col("city").first(), first_day=pl.col("day").min(), bought_day=bought
    )


def _number() -> pl.Expr:
    return pl.len().cast(pl.Int64)
