"""Laying the lake's events out anew: in another number of buckets, or as today's release has them.

Each is one commit of the table events: a run that is killed leaves it as it was, or done. Rows are read,
checked and written by Spark; the files that are no longer needed stay until `maintain` deletes them.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import LakeError
from pozytywka_spark.hashing import identity_spark
from pozytywka_spark.ingest.intake.lock import only_ingest
from pozytywka_spark.ingest.masking.retention import place_texts
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.layout import buckets_for, buckets_of, is_older, recording
from pozytywka_spark.schemas import EVENTS, INGEST_FILES

_ADDED = ("event_id", "user_bucket")
_HEX = "^[0-9a-fA-F]{32}$"


@dataclass(frozen=True)
class Digest:
    """What all rows of events say, in any order: their number, and two folds of their hashes."""

    rows: int
    folded: int
    summed: int


@dataclass(frozen=True)
class Rebucketed:
    """Events of the lake lie in `after` buckets of users; `rows` were rewritten, none if they did before."""

    before: int
    after: int
    rows: int


def rebucket(settings: Settings, lake: Lake, buckets: int) -> Rebucketed:
    """Spread each month's events over `buckets` files or groups of files, by their users.

    Waits for a running ingest, as another ingest does. Raises `LakeError` if that one doesn't end in
    time, if there are no events, or if the rows to be written aren't those that are there.
    """
    with only_ingest(lake.root, settings.ingest):
        if not lake.exists(EVENTS.name):
            raise LakeError(
                f"lake {lake.root}: no table events yet; the number of a new lake's buckets is the setting "
                f"lake.user_buckets={buckets}"
            )
        before = buckets_of(lake)
        if before == buckets:
            return Rebucketed(before, buckets, 0)
        events = lake.read(EVENTS.name)
        with lake.tasks() as tasks:  # before the events, which tell in how many buckets users are
            place_texts(lake, tasks, buckets)
        anew = events.withColumn("user_bucket", identity_spark.user_bucket(buckets))
        return Rebucketed(before, buckets, _rewrite(lake, events, anew, buckets))


def upgrade(settings: Settings, lake: Lake) -> list[str]:
    """Bring a lake of the last release up to date; what was done, a line a table, none if nothing was.

    Events come last: they are what other jobs look at, so an upgrade cut short is done again.
    Raises `LakeError` as `rebucket`, or if the ids of events aren't those of the last release.
    """
    with only_ingest(lake.root, settings.ingest):
        done = []
        if lake.grow(INGEST_FILES) is not None:
            done.append("ingest_files: the column content_hash was added")
        if is_older(lake):
            rows, buckets = _upgrade_events(lake, settings.lake.user_buckets)
            done.append(
                f"events: {rows:,} rows rewritten, ids as 16 bytes, users in {_counted(buckets, 'bucket')}"
            )
        return done


def advice(settings: Settings, lake: Lake) -> str | None:
    """Whether another number of buckets is asked for, or would keep what a task holds small; in a line."""
    if not lake.exists(EVENTS.name):
        return None
    buckets, asked = buckets_of(lake), settings.lake.user_buckets
    if asked is not None and asked != buckets:
        return (
            f"events lie in {_counted(buckets, 'bucket')} of users, lake.user_buckets says {asked}: "
            f"maintain --buckets {asked} changes it"
        )
    largest = _largest_month(lake.read(EVENTS.name))
    better = buckets_for(largest, None)
    if asked is None and better > buckets:
        return (
            f"events lie in {_counted(buckets, 'bucket')} of users, and a month has {largest:,} of them: "
            f"maintain --buckets {better} makes what a task holds smaller"
        )
    return None


def _upgrade_events(lake: Lake, setting: int | None) -> tuple[int, int]:
    events = lake.read(EVENTS.name)
    odd = events.where(~F.col("event_id").rlike(_HEX)).count()
    if odd:
        raise LakeError(
            f"table {EVENTS.name}: {odd:,} event ids aren't 32 hex digits, as the last release wrote them; "
            "ingest the deliveries into another lake.root"
        )
    buckets = buckets_for(_largest_month(events), setting)
    anew = events.withColumns(
        {"event_id": F.unhex("event_id"), "user_bucket": identity_spark.user_bucket(buckets)}
    )
    return _rewrite(lake, events, anew, buckets), buckets


def _rewrite(lake: Lake, events: DataFrame, anew: DataFrame, buckets: int) -> int:
    """Commit `anew` in place of `events`; how many rows. Nothing is written unless both say the same."""
    expected, written = _digest(events), _digest(anew)
    if written != expected:
        raise LakeError(
            f"table {EVENTS.name}: {written.rows:,} rows to be written aren't the {expected.rows:,} that are "
            "there; nothing was changed; run it again when nothing else writes to this lake"
        )
    order = (*EVENTS.partition_by, *EVENTS.sorted_by)
    rows = EVENTS.conform(anew).repartition(*EVENTS.partition_by).sortWithinPartitions(*order)
    lake.overwrite(rows, EVENTS, txn=recording(lake, buckets))
    return expected.rows


def _digest(events: DataFrame) -> Digest:
    """Of every column but the bucket; ids as lower-case hex digits, whichever way they are stored."""
    raw = isinstance(events.schema["event_id"].dataType, T.BinaryType)
    identity = F.lower(F.hex("event_id") if raw else F.col("event_id"))
    hashes = F.xxhash64(identity, *(name for name in EVENTS.columns if name not in _ADDED))
    row = events.agg(
        F.count(F.lit(1)), F.bit_xor(hashes), F.sum(hashes.bitwiseAND(F.lit(0x7FFFFFFF)))
    ).collect()[0]
    return Digest(*(value or 0 for value in row))


def _largest_month(events: DataFrame) -> int:
    return max((row["count"] for row in events.groupBy("event_month").count().collect()), default=0)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
