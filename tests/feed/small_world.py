"""A small world of plays in memory, a lake of it, and a ranker that needs no training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.feed.about import About
from pozytywka_spark.feed.pairs import Pairs
from pozytywka_spark.feed.track_side import Tracks
from pozytywka_spark.lake.api import Partition
from pozytywka_spark.lake.shards import DataFile, Shard
from tests.in_memory import MemoryTasks

DAY = date(2023, 5, 1)
TRAINED = DAY - timedelta(days=28)
TRACKS, ARTISTS, USERS = 300, 60, 40
# of a training and a ranking that take a second
SET = ("feed.light=200", "feed.candidates=250", "feed.page=20", "feed.min_recall=0", "feed.rounds=5")
EVENTS = {
    "user_id": pl.Int64,
    "session_id": pl.Int64,
    "event_time": pl.Datetime("us", "UTC"),
    "event_type": pl.String,
    "track_id": pl.String,
}
Event = tuple[int, int, datetime, str, str | None]


def at(days: float) -> datetime:
    """So many days before the cut-off."""
    return datetime(2023, 5, 1, tzinfo=UTC) - timedelta(days=days)


def track(number: int) -> str:
    return f"t{number:04d}"


def tables(users: int = USERS) -> dict[str, pl.DataFrame]:
    """Tracks, artists, users."""
    genres = ["jazz", "pop", "rock", "folk", "metal", "techno"]
    return {
        "tracks": pl.DataFrame(
            {
                "id": [track(number) for number in range(TRACKS)],
                "name": [f"song {number}" for number in range(TRACKS)],
                "id_artist": [f"a{number % ARTISTS:03d}" for number in range(TRACKS)],
                "release_date": [date(2020, 1, 1)] * TRACKS,
            }
        ),
        "artists": pl.DataFrame(
            {
                "id": [f"a{number:03d}" for number in range(ARTISTS)],
                "genres": [[genres[number % 6]] for number in range(ARTISTS)],
            }
        ),
        "users": pl.DataFrame(
            {
                "user_id": list(range(100, 100 + users)),
                "city": ["Kraków", "Gdańsk"] * (users // 2),
                "favourite_genres": [[genres[number % 6]] for number in range(users)],
            }
        ),
    }


def events(seed: int = 1, plays: int = 60) -> list[Event]:
    """Plays, some skipped or liked, in the 100 days before the cut-off. The last two users are new."""
    rng = np.random.default_rng(seed)
    found: list[Event] = []
    for user in range(USERS - 2):
        for number in range(plays):
            moment = at(float(rng.uniform(0.01, 100)))
            which = track(int(TRACKS * rng.beta(1, 4)))
            session = user * 1000 + number
            found.append((100 + user, session, moment, "PLAY", which))
            if rng.random() < 0.3:
                found.append((100 + user, session, moment + timedelta(minutes=1), "SKIP", which))
            if rng.random() < 0.1:
                found.append((100 + user, session, moment + timedelta(seconds=30), "LIKE", which))
    return found


@dataclass
class MemoryLake:
    """What stages read of a lake: tables as shards of files."""

    tasks: MemoryTasks
    root: str = "memory"
    held: dict[str, list[Shard]] = field(default_factory=dict)

    def exists(self, table: str) -> bool:
        return table in self.held

    def shards(
        self,
        table: str,
        tasks: MemoryTasks,
        partitions: Sequence[Partition] | None = None,
        columns: Sequence[str] | None = None,
    ) -> list[Shard]:
        def wanted(shard: Shard) -> bool:
            return partitions is None or any(one.items() <= shard.partition.items() for one in partitions)

        return [shard for shard in self.held[table] if wanted(shard)]

    def put(self, table: str, parts: Sequence[tuple[dict[str, Any], pl.DataFrame]]) -> None:
        """Rows by partition."""
        shards = []
        for partition, rows in parts:
            files: tuple[DataFile, ...] = (self.tasks.files.put_file(rows, partition),)
            shards.append(Shard(table, partition, files))
        self.held[table] = shards


def lake_of(rows: Sequence[Event], buckets: int = 1) -> MemoryLake:
    """With events by month and bucket."""
    lake = MemoryLake(MemoryTasks())
    for name, frame in tables().items():
        lake.put(name, [({}, frame)])
    frame = pl.DataFrame(list(rows), schema=EVENTS, orient="row").with_columns(
        month=pl.col("event_time").dt.date().dt.truncate("1mo"), bucket=pl.col("user_id") % buckets
    )
    parts = [
        ({"event_month": month, "user_bucket": bucket}, part.drop("month", "bucket"))
        for (month, bucket), part in frame.group_by("month", "bucket", maintain_order=True)
    ]
    lake.put("events", parts)
    return lake


@dataclass(frozen=True)
class PlainRanker:
    """Chances that follow from plays alone."""

    def light(self, pairs: Pairs, users: About, tracks: Tracks) -> np.ndarray:
        score: np.ndarray = tracks.side.plays[pairs.track].astype(np.float64)
        return score

    def chances(self, pairs: Pairs, users: About, tracks: Tracks) -> np.ndarray:
        share = tracks.side.plays[pairs.track] / max(1.0, float(tracks.side.plays.max()))
        chances: np.ndarray = np.stack([share, 0.1 * share, 0.05 * share, 0.2 * share], axis=1)
        return chances
