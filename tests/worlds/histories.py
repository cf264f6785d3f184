"""Little worlds in one lake, whose events arrive in an order of each world's own; written without Spark."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.features.declared.catalogue import CATALOGUE
from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.hashing.identity import event_ids, user_bucket
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.lake.event_notes import NOTE, note_of
from pozytywka_spark.lake.layout import buckets_of, recording

FIRST_MONTHS = [date(2023, month, 1) for month in (1, 1, 3, 2, 4)]  # what each delivery begins with
MONTHS = [date(2023, month, 1) for month in (1, 2, 3, 4)]
# in the order in which a build commits them
TABLES = (
    "first_purchases",
    "first_likes",
    "artist_debuts",
    "user_debuts",
    "track_plays",
    "user_month",
    "features",
    "labels",
)
EVENT = {
    "event_time": pl.Datetime("us", "UTC"),
    "event_type": pl.String,
    "user_id": pl.Int64,
    "session_id": pl.Int64,
    "track_id": pl.String,
}
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Histories:
    """Rows of the catalogue tables, and events of each delivery."""

    catalogue: Mapping[str, Rows]
    deliveries: Sequence[Rows]

    @property
    def events(self) -> Rows:
        """Of all deliveries."""
        return [event for rows in self.deliveries for event in rows]


def histories(worlds: int) -> Histories:
    """A world has three users and tracks that no other world plays, so that nothing of one reaches another.

    The month a delivery begins with differs, so that each rests on more or less of what was built before.
    """
    dice = random.Random(11)
    deliveries: list[Rows] = [[] for _ in FIRST_MONTHS]
    for world in range(worlds):
        for session in range(dice.randint(6, 14)):
            user, day, minute = world * 10 + dice.randint(0, 2), dice.randint(0, 118), dice.randint(0, 1380)
            start = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=day, minutes=minute)
            open_to = [i for i, month in enumerate(FIRST_MONTHS) if start.date().replace(day=1) >= month]
            arrives = dice.choice(open_to)
            for step in range(dice.randint(1, 6)):
                late = dice.random() < 0.1  # an event that arrives apart from its session
                kind = dice.choices(
                    ["PLAY", "SKIP", "LIKE", "ADVERTISEMENT", "BUY_PREMIUM"], [9, 3, 3, 3, 0.3]
                )[0]
                track = None if kind in ("ADVERTISEMENT", "BUY_PREMIUM") else f"t{world}-{dice.randint(0, 4)}"
                event = {
                    "event_time": start + timedelta(seconds=step * 70),
                    "event_type": kind,
                    "user_id": user,
                    "session_id": world * 1000 + session,
                    "track_id": track,
                }
                deliveries[dice.choice(open_to) if late else arrives].append(event)
    return Histories(_catalogue(worlds), deliveries)


def _catalogue(worlds: int) -> dict[str, Rows]:
    known = [(f"t{w}-{i}", f"a{w}-{i % 3}") for w in range(worlds) for i in range(5)]
    artists = sorted({artist for _, artist in known})
    return {
        "users": [{"user_id": user, "favourite_genres": ["g0"]} for user in range(worlds * 10)],
        "artists": [{"id": a, "name": a, "genres": [f"g{i % 2}"]} for i, a in enumerate(artists)],
        "tracks": [{"id": t, "name": t, "id_artist": a, "duration_ms": 60_000} for t, a in known],
        "track_storage": [],
    }


def some_features() -> list[Feature]:
    """Of each kind some: the machinery is the same for all, and the test a fraction of the time."""
    wide = ("6_month", "12_month", "average_a", "average_e", "average_i", "average_l", "average_v", "storage")
    return [feature for feature in CATALOGUE if not any(part in feature.name for part in wide)]


def prepared(spark: SparkSession, home: Path, *given: str) -> tuple[Settings, Lake]:
    """Settings without guard 1, which the leaks' tests try, and an empty lake."""
    settings = load_settings(
        "local",
        [f"home={home}", "spark.master=local[2]", "spark.shuffle_partitions=2", "guards.perturbation=false",
         *given],
    )  # fmt: skip
    return settings, open_lake(settings, spark)


def write_catalogue(lake: Lake, catalogue: Mapping[str, Rows]) -> None:
    """The catalogue's tables; columns that rows lack are null."""
    for table in schemas.SILVER[:-1]:
        lake.overwrite(pa.Table.from_pylist(catalogue[table.name], arrow_schema(table.schema)), table)


def deliver(lake: Lake, events: Iterable[dict[str, Any]], *, noted: bool = True, buckets: int = 1) -> None:
    """Append events as ingest does, with notes in their files, or as another writer would."""
    if not lake.exists("events"):
        lake.append(as_events([], 1).to_arrow(), schemas.EVENTS, txn=recording(lake, buckets))
    rows = as_events(events, buckets_of(lake))
    if not noted:
        lake.append(rows.to_arrow(), schemas.EVENTS)
        return
    with lake.tasks() as tasks:
        files = tasks.files  # type: ignore[attr-defined]  # of Spark's tasks
        for key, part in rows.partition_by(schemas.EVENTS.partition_by, as_dict=True).items():
            partition = dict(zip(schemas.EVENTS.partition_by, key, strict=True))
            files.write(schemas.EVENTS, part, partition, noted={NOTE: note_of(part).as_text()})
        lake.append(files.written, schemas.EVENTS)


def as_events(events: Iterable[dict[str, Any]], buckets: int) -> pl.DataFrame:
    """Rows of the events table, by user and time."""
    rows = pl.DataFrame(list(events), schema=EVENT).sort("user_id", "event_time")
    return rows.select(
        event_ids(rows),
        *EVENT,
        repaired=pl.lit(value=False),
        repair_reason=pl.lit(None, pl.String),
        event_month=pl.col("event_time").dt.date().dt.month_start(),
        user_bucket=user_bucket(pl.col("user_id"), buckets),
    ).select(schemas.EVENTS.columns)


def content(lake: Lake, name: str) -> list[tuple[Any, ...]]:
    """A table's rows, in whichever buckets of users and order they lie."""
    rows = pl.DataFrame(pl.from_arrow(lake.rows(name)))
    return sorted(rows.select(sorted(set(rows.columns) - {"user_bucket"})).rows(), key=repr)


def contents(lake: Lake) -> dict[str, list[tuple[Any, ...]]]:
    """`content` of every table of `TABLES`."""
    return {name: content(lake, name) for name in TABLES}
