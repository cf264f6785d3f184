"""The two jobs that find rings: plays by account and track of each window, then the rings of each window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import polars as pl

from pozytywka_spark.fraud.rings.excess import (
    ACCOUNT,
    PLAYS,
    TRACK,
    Far,
    far_more,
    pairs_of,
    tastes_of,
    together,
    weights_of,
    with_hits,
)
from pozytywka_spark.fraud.rings.groups import Least, rings_among
from pozytywka_spark.fraud.rings.window import Window
from pozytywka_spark.lake.shards import DataFile, Parcel, Shard, batches
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.names import PLAY
from pozytywka_spark.schemas import RINGS

PAIRS = "pairs"  # parcels by month of the window (ISO) and bucket of accounts: user_id, track_id, plays
_AT_ONCE = 1_000_000  # events that are read together
_COLUMNS = ("user_id", "event_type", "event_time", "track_id")


@dataclass(frozen=True)
class CountPairs:
    """Work on shards of `events`: stages PAIRS of every window that has days in the shard's month."""

    windows: tuple[Window, ...]

    def __call__(self, items: Sequence[Shard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        for shard in items:
            windows = [window for window in self.windows if shard.partition["event_month"] in window.months]
            parts = [self._counted(some, windows, files) for some in batches(shard.files, _AT_ONCE)]
            if not windows or not parts:
                continue
            counted = parts[0]
            if len(parts) > 1:
                sums = (pl.col(window.month.isoformat()).sum() for window in windows)
                counted = pl.concat(parts).group_by(ACCOUNT, TRACK).agg(sums)
            bucket = shard.partition.get("user_bucket") or 0
            for window in windows:
                name = window.month.isoformat()
                pairs = counted.filter(pl.col(name) > 0).select(ACCOUNT, TRACK, pl.col(name).alias(PLAYS))
                files.stage(PAIRS, pairs, (name, bucket))
        yield from ()

    def _counted(self, some: list[DataFile], windows: Sequence[Window], files: TaskFiles) -> pl.DataFrame:
        """Account, track, plays in each window."""
        plays = files.read(some, _COLUMNS).filter(
            (pl.col("event_type") == PLAY) & pl.col(TRACK).is_not_null() & pl.col(ACCOUNT).is_not_null()
        )
        inside = (
            pl.col("event_time").is_between(_at(window.start), _at(window.end), closed="left")
            .sum().cast(pl.Int64).alias(window.month.isoformat())
            for window in windows
        )  # fmt: skip
        return plays.group_by(ACCOUNT, TRACK).agg(inside)


@dataclass(frozen=True)
class WindowPairs:
    """A window and its parcels."""

    month: str
    pairs: tuple[Parcel, ...]

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(parcel.size for parcel in self.pairs)

    def buckets(self) -> list[list[Parcel]]:
        """The parcels by bucket of accounts."""
        numbers = sorted({parcel.key[1] for parcel in self.pairs}, key=str)
        return [[parcel for parcel in self.pairs if parcel.key[1] == number] for number in numbers]


@dataclass(frozen=True)
class FindRings:
    """Work on `WindowPairs`: writes `rings` of each month; tells how many there are.

    Two passes over the window's buckets, one at a time: what each track weighs, then whose plays of it are
    far more than that explains. Few pairs are; they are looked at together.
    """

    tracks: tuple[DataFile, ...]
    artists: tuple[DataFile, ...]
    far: Far
    least: Least

    def __call__(self, items: Sequence[WindowPairs], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a month."""
        for item in items:
            rings = rings_among(self._far_more(item, files), self.least)
            named = pl.concat_str(pl.lit(item.month[:7]), pl.col("ring"), separator="-")
            rows = rings.select(named.alias("ring"), ACCOUNT, "score", "tracks")
            files.write(RINGS, rows, {"month": date.fromisoformat(item.month)})
            yield {"month": item.month, "rings": rings["ring"].n_unique(), "accounts": rings.height}

    def _far_more(self, item: WindowPairs, files: TaskFiles) -> pl.DataFrame:
        buckets = item.buckets()
        only = pairs_of(files.read(buckets[0])) if len(buckets) == 1 else None

        def pairs() -> Iterator[pl.DataFrame]:
            if only is not None:
                yield only
            else:
                yield from (pairs_of(files.read(parcels)) for parcels in buckets)

        weights = together(pl.concat([weights_of(some) for some in pairs()]))
        tastes = with_hits(self._tastes(files).join(weights, on=TRACK, how="semi"), weights)
        return pl.concat([far_more(some, weights, tastes, self.far) for some in pairs()])

    def _tastes(self, files: TaskFiles) -> pl.DataFrame:
        """Of the catalogue, as far as there is one."""
        tracks = files.shared(self.tracks, ["id", "id_artist"]) if self.tracks else _TRACKS
        artists = files.shared(self.artists, ["id", "genres"]) if self.artists else _ARTISTS
        return tastes_of(tracks, artists)


_TRACKS = pl.DataFrame(schema={"id": pl.String(), "id_artist": pl.String()})
_ARTISTS = pl.DataFrame(schema={"id": pl.String(), "genres": pl.List(pl.String())})


def _at(day: date) -> pl.Expr:
    return pl.lit(datetime.combine(day, time(), UTC)).cast(pl.Datetime("us", "UTC"))
