"""Events: identity, repair of the incomplete, and which of them are new."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.ingest.normalise import is_incomplete
from pozytywka_spark.ingest.outcomes import (
    DUPLICATE,
    FATE,
    INCOMPLETE_COPY,
    KEPT,
    REPAIRED,
    SAME_ROW,
    as_resolved,
    resolve_rejected,
)
from pozytywka_spark.ingest.repair import repair

# Reasons of events that their session couldn't complete; it may once more of it has arrived.
UNRESOLVED = ("unknown_user", "unknown_event", "unknown_track")

_COLUMNS = list(schemas.EVENTS.columns)
_SAYS = ("session_id", "event_time", "event_type", "user_id", "track_id")
_CARRIED = tuple(name for name in FATE if name != "outcome")


def resolve_events(
    judged: DataFrame,
    held: DataFrame,
    quarantined: DataFrame,
    *,
    any_incomplete: bool = True,
    any_rejected: bool = True,
) -> DataFrame:
    """Outcomes of session rows. `held` are the silver events of the months that the batch touches.

    Told that nothing is incomplete, it shuffles no session, only hashes to find duplicates.
    """
    passing, rejected = judged.where(F.col("reason").isNull()), judged.where(F.col("reason").isNotNull())
    whole = passing.where(~is_incomplete()) if any_incomplete else passing
    candidates = _as_candidates(whole.withColumns({"repair_reason": F.lit(None).cast("string")}))
    settled = []
    if any_incomplete:
        tried = try_repair(passing, held)
        again = F.col("again")
        candidates = candidates.unionByName(_as_candidates(tried.where(~is_incomplete() & ~again)))
        copies = tried.where(again)
        settled.append(as_resolved(copies, _COLUMNS, F.lit(DUPLICATE), F.lit(INCOMPLETE_COPY)))
        unresolved = tried.where(is_incomplete() & ~again)
        rejected = rejected.unionByName(
            unresolved.withColumns({"reason": _missing(), "rule": F.lit("the session leaves no one answer")}),
            allowMissingColumns=True,
        )
    if any_incomplete or any_rejected:
        settled.append(resolve_rejected(rejected, _COLUMNS, quarantined))
    return reduce(DataFrame.unionByName, settled, resolve_candidates(candidates, held))


def with_event_id(events: DataFrame) -> DataFrame:
    """The event's identity: a hash of what it says, once normalised and repaired.

    Time, type, user, session and track enter; how it came (file, case, spelling, whether a field had
    to be repaired) does not. So a re-delivery is the same event, and so are a repaired row and its
    sound copy.
    """
    time, track = F.unix_micros("event_time"), F.coalesce("track_id", F.lit(""))
    return events.withColumns(
        {"event_id": F.md5(F.concat_ws("|", time, "event_type", "user_id", "session_id", track))}
    )


def try_repair(passing: DataFrame, held: DataFrame) -> DataFrame:
    """The incomplete events of `passing`, filled where their session leaves no doubt.

    Adds `again`: true for a second copy of a line, and for a row that is a poorer copy of a complete
    event of the same instant. Only sessions in need take part, from the batch and from `held`.
    """
    first = Window.partitionBy("line_id").orderBy("source_file", "source_order")
    incomplete = passing.where(is_incomplete()).withColumns({"_rank": F.row_number().over(first)})
    needy = incomplete.where(F.col("_rank") == 1).drop("_rank")
    repeated = incomplete.where(F.col("_rank") > 1).drop("_rank")
    sound = passing.where(~is_incomplete()).select(*_SAYS).union(held.select(*_SAYS))
    around = sound.join(needy.select("session_id").distinct(), on="session_id", how="left_semi")
    rows = needy.unionByName(around.dropDuplicates(list(_SAYS)), allowMissingColumns=True)
    tried = repair(rows).where(F.col("line_id").isNotNull())
    return tried.withColumns({"again": F.col("copy")}).unionByName(
        repeated.withColumns({"again": F.lit(True), "repair_reason": F.lit(None).cast("string")}),
        allowMissingColumns=True,
    )


def resolve_candidates(candidates: DataFrame, held: DataFrame) -> DataFrame:
    """Kept or repaired if the event is new, duplicate if silver or an earlier row of the batch has it.

    All rows are compared by a hash of eight bytes; only those whose hash occurs twice are looked at
    again, by the whole identity. Sound rows come before repaired ones.
    """
    hashed = candidates.withColumns({"_hash": F.xxhash64("event_id")})
    there = held.select("event_id", F.xxhash64("event_id").alias("_hash"))
    twice = (
        hashed.select("_hash").union(there.select("_hash")).groupBy("_hash").count().where(F.col("count") > 1)
    )
    suspects = twice.select("_hash", F.lit(True).alias("_suspect"))
    marked = hashed.join(suspects, on="_hash", how="left")
    first = Window.partitionBy("event_id").orderBy("repaired", "source_file", "source_order")
    held_ids = there.join(twice.select("_hash"), on="_hash", how="left_semi").select(
        "event_id", F.lit(True).alias("_held")
    )
    doubted = (
        marked.where(F.col("_suspect"))
        .withColumns({"_rank": F.row_number().over(first)})
        .join(held_ids, on="event_id", how="left")
    )
    new = F.when(F.col("repaired"), F.lit(REPAIRED)).otherwise(F.lit(KEPT))
    again = (F.col("_rank") > 1) | F.col("_held").isNotNull()
    return as_resolved(
        marked.where(F.col("_suspect").isNull()), _COLUMNS, new, F.col("repair_reason")
    ).unionByName(
        as_resolved(
            doubted,
            _COLUMNS,
            F.when(again, F.lit(DUPLICATE)).otherwise(new),
            F.when(again, F.lit(SAME_ROW)).otherwise(F.col("repair_reason")),
        )
    )


def _as_candidates(complete: DataFrame) -> DataFrame:
    rows = with_event_id(complete).withColumns(
        {
            "repaired": F.col("repair_reason").isNotNull(),
            "event_month": schemas.month_of(F.col("event_time")),
        }
    )
    return rows.select(*_COLUMNS, *_CARRIED)


def _missing() -> Column:
    """Why an event stayed incomplete: the first thing that nothing in its session tells."""
    user, event, track = map(F.lit, UNRESOLVED)
    return F.when(F.col("user_id").isNull(), user).when(F.col("event_type").isNull(), event).otherwise(track)
