"""Events: identity, repair of the incomplete, and which of them are new."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.ingest.by_session import SEEN, grammar_of, repair_sessions
from pozytywka_spark.ingest.gaps import told_by, with_gaps
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
from pozytywka_spark.ingest.repair import TRACK_OF_FOLLOWER, TRACK_OF_PLAY, TYPE, USER
from pozytywka_spark.kept import Keep

# Reasons of events that their session couldn't complete; it may once more of it has arrived.
UNRESOLVED = ("unknown_user", "unknown_event", "unknown_track")

_COLUMNS = list(schemas.EVENTS.columns)
_SAYS = ("session_id", "event_time", "event_type", "user_id", "track_id")
# So many rows prove what there is to prove; of more, whole sessions are looked at until there are as many.
_EVIDENCE_ROWS = 400_000
_CARRIED = tuple(name for name in FATE if name != "outcome")


def resolve_events(
    judged: DataFrame,
    held: DataFrame,
    quarantine: DataFrame | None,
    keep: Keep,
    *,
    sound: DataFrame | None = None,
    any_incomplete: bool = True,
    any_rejected: bool = True,
) -> DataFrame:
    """Outcomes of session rows. `held` are the silver events of the months that the batch touches.

    `judged` has each row's `event_id` (see `with_event_id`); `quarantine` are the session rows that
    were rejected before, if any. `sound` are more rows of the batch, known to pass and to be complete.
    `keep` stores what is looked at more than once. Rows that nothing is the matter with are taken as
    they are: they are neither shuffled nor stored again.
    """
    passing = judged.where(F.col("reason").isNull())
    complete = passing.where(~is_incomplete()) if any_incomplete else passing
    complete = complete if sound is None else sound.unionByName(complete)
    candidates = _as_candidates(complete)
    rejected = judged.where(F.col("reason").isNotNull())
    settled = []
    if any_incomplete:
        lost = _lost(judged, quarantine, rejected if any_rejected else None)
        tried = keep(try_repair(passing.where(is_incomplete()), complete, held, lost))
        again = F.col("again")
        repaired = with_event_id(tried.where(~is_incomplete() & ~again))
        candidates = candidates.unionByName(_as_candidates(repaired))
        copies = tried.where(again)
        settled.append(as_resolved(copies, _COLUMNS, F.lit(DUPLICATE), F.lit(INCOMPLETE_COPY)))
        unresolved = tried.where(is_incomplete() & ~again)
        rejected = rejected.unionByName(
            unresolved.withColumns({"reason": _missing(), "rule": F.col("why")}), allowMissingColumns=True
        )
    if any_incomplete or any_rejected:
        settled.append(keep(resolve_rejected(rejected, _COLUMNS, quarantine)))
    return reduce(DataFrame.unionByName, settled, resolve_candidates(candidates, held, keep))


def with_event_id(events: DataFrame) -> DataFrame:
    """The event's identity: a hash of what it says, once normalised and repaired.

    Time, type, user, session and track enter; how it came (file, case, spelling, whether a field had
    to be repaired) does not. So a re-delivery is the same event, and so are a repaired row and its
    sound copy.
    """
    time, track = F.unix_micros("event_time"), F.coalesce("track_id", F.lit(""))
    return events.withColumns(
        {"event_id": F.unhex(F.md5(F.concat_ws("|", time, "event_type", "user_id", "session_id", track)))}
    )


def _lost(judged: DataFrame, before: DataFrame | None, rejected: DataFrame | None) -> DataFrame | None:
    """What rejected rows tell of where a row is missing; None if there are none.

    A row that was rejected `before` and comes again with this batch is where it belongs.
    """
    told = []
    if before is not None:
        again = judged.where(F.col("line_id").isNotNull()).select(F.col("line_id").alias("quarantine_id"))
        told.append(told_by(before.join(again, on="quarantine_id", how="left_anti")))
    if rejected is not None:
        told.append(told_by(rejected))
    return reduce(DataFrame.unionByName, told) if told else None


def try_repair(
    incomplete: DataFrame, complete: DataFrame, held: DataFrame, lost: DataFrame | None
) -> DataFrame:
    """The `incomplete` events of a batch, filled where their session and the delivery leave no doubt.

    Adds `again`: true for a second copy of a line, and for a row that is a poorer copy of a complete
    event of the same instant; and `why`: what stands in the way of the rest (null: nothing). `lost` is what
    is known of rejected rows. Only sessions in need take part, from the batch and from `held`; what these
    leave open is told by the grammar of all sessions of both.
    """
    first = Window.partitionBy("line_id").orderBy("source_file", "source_order")
    ranked = incomplete.withColumns({"_rank": F.row_number().over(first)})
    needy = ranked.where(F.col("_rank") == 1).drop("_rank")
    repeated = ranked.where(F.col("_rank") > 1).drop("_rank")
    grammar = grammar_of(_evidence(incomplete, complete, held, lost))
    told = _filled_by(TYPE) | _filled_by(TRACK_OF_PLAY) | _filled_by(TRACK_OF_FOLLOWER)
    sound = complete.select(*_SAYS, F.lit(False).alias("told"))
    around = sound.union(held.select(*_SAYS, told.alias("told"))).join(
        needy.select("session_id").distinct(), on="session_id", how="left_semi"
    )
    rows = needy.unionByName(around, allowMissingColumns=True)
    tried = repair_sessions(with_gaps(rows, lost), grammar)
    return tried.withColumns({"again": F.col("copy")}).unionByName(
        repeated.withColumns({"again": F.lit(True), "repair_reason": F.lit(None).cast("string")}),
        allowMissingColumns=True,
    )


def _evidence(
    incomplete: DataFrame, complete: DataFrame, held: DataFrame, lost: DataFrame | None
) -> DataFrame:
    """The rows that tell the grammar: those of the batch, and of silver in the months around, as they came.

    What was filled in before tells nothing, so it is taken out again: the same delivery shows the same
    grammar whether it is there already or not. Sessions that may lack a row are left out. Of many rows,
    those of a share of the sessions are taken, by a hash of their ids.
    """
    columns = ["session_id", *SEEN, "source_file"]
    lost_type = _filled_by(TYPE)
    lost_track = _filled_by(TRACK_OF_PLAY) | _filled_by(TRACK_OF_FOLLOWER)
    as_they_came = held.select(
        "session_id",
        "event_time",
        F.when(~lost_type, F.col("event_type")).alias("event_type"),
        F.when(~lost_track, F.col("track_id")).alias("track_id"),
        F.when(~_filled_by(USER), F.col("user_id")).alias("user_id"),
        (lost_type & F.col("track_id").isNull()).alias("no_track"),
        F.lit(None).cast("string").alias("source_file"),
    )
    batch = complete.select(columns).union(incomplete.select(columns))
    counted = batch.select(F.lit("batch").alias("of")).union(held.select(F.lit("held").alias("of")))
    rows = max((row["count"] for row in counted.groupBy("of").count().collect()), default=0)
    shares = 1 << max(0, (rows - 1) // _EVIDENCE_ROWS).bit_length()
    chosen = F.pmod(F.xxhash64("session_id"), F.lit(shares)) == 0
    all_rows = with_gaps(batch.union(as_they_came.select(columns)).where(chosen), lost)
    return all_rows.where(~F.col("gaps"))


def _filled_by(reason: str) -> Column:
    """Whether a row of silver was repaired for this reason."""
    return F.coalesce(F.contains("repair_reason", F.lit(reason)), F.lit(False))


def resolve_candidates(candidates: DataFrame, held: DataFrame, keep: Keep) -> DataFrame:
    """Kept or repaired if the event is new, duplicate if silver or an earlier row of the batch has it.

    All rows are compared by a hash of eight bytes; only those whose hash occurs twice are looked at
    again, by the whole identity. Sound rows come before repaired ones.
    """
    hashed = candidates.withColumns({"_hash": F.xxhash64("event_id")})
    there = held.select("event_id", F.xxhash64("event_id").alias("_hash"))
    hashes = hashed.select("_hash").union(there.select("_hash"))
    twice = keep(hashes.groupBy("_hash").count().where(F.col("count") > 1).select("_hash"))
    new = F.when(F.col("repaired"), F.lit(REPAIRED)).otherwise(F.lit(KEPT))
    # counted rather than peeked at: it is read whole below, and then known to be small or not
    if not twice.count():
        return as_resolved(candidates, _COLUMNS, new, F.col("repair_reason"))
    single = hashed.join(twice, on="_hash", how="left_anti")
    first = Window.partitionBy("event_id").orderBy("repaired", "source_file", "source_order")
    held_ids = there.join(twice, on="_hash", how="left_semi").select("event_id", F.lit(True).alias("_held"))
    doubted = (
        hashed.join(twice, on="_hash", how="left_semi")
        .withColumns({"_rank": F.row_number().over(first)})
        .join(held_ids, on="event_id", how="left")
    )
    again = (F.col("_rank") > 1) | F.col("_held").isNotNull()
    told = as_resolved(
        doubted,
        _COLUMNS,
        F.when(again, F.lit(DUPLICATE)).otherwise(new),
        F.when(again, F.lit(SAME_ROW)).otherwise(F.col("repair_reason")),
    )
    return as_resolved(single, _COLUMNS, new, F.col("repair_reason")).unionByName(keep(told))


def _as_candidates(complete: DataFrame) -> DataFrame:
    reason = F.col("repair_reason") if "repair_reason" in complete.columns else F.lit(None).cast("string")
    rows = complete.withColumns(
        {
            "repair_reason": reason,
            "repaired": reason.isNotNull(),
            "event_month": schemas.month_of(F.col("event_time")),
            "user_bucket": F.lit(0),
        }
    )
    return rows.select(*_COLUMNS, *_CARRIED)


def _missing() -> Column:
    """Why an event stayed incomplete: the first thing that nothing in its session tells."""
    user, event, track = map(F.lit, UNRESOLVED)
    return F.when(F.col("user_id").isNull(), user).when(F.col("event_type").isNull(), event).otherwise(track)
