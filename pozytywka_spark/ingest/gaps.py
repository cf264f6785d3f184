"""Gaps: sessions of which a row may be missing, so that who stands beside whom proves nothing.

Repair by order takes the rows of a session for all of them. A row that was rejected, in this batch
or before, is one that isn't there. What can still be read of its text says which sessions it may
belong to, the least harm first:

1. It tells its session: that session has a gap.
2. Else it tells its time: every session with a row within two hours of it has a gap, for no track is
   longer than that, and so no session is silent for longer.
3. Else it may belong to any session: all rows of its file have one.

A file of which lines are broken at their end, as by a lost connection, is of the second kind. User
ids are told by the session as a whole, whatever is missing of it, and are filled all the same.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.ingest.normalise import event_time

SILENCE_HOURS = 2

# A number followed by its delimiter: of a line that breaks off, the last number may lack digits.
_SESSION = r'"session_id"\s*:\s*([0-9]{1,18})\s*[,}]'
_TIME = r'"timestamp"\s*:\s*"([^"]*)"'


def told_by(rejected: DataFrame) -> DataFrame:
    """What rejected rows (`raw`, `source_file`) tell: `lost_session`, else `lost_time`, else `lost_file`.

    Grain: a row that was lost; two objects on a line are two. Where a line tells more times than
    sessions, one of its rows lacks its session, and the times stand for it.
    """
    text = F.coalesce("raw", F.lit(""))
    sessions = F.array_distinct(
        F.transform(
            F.regexp_extract_all(text, F.lit(_SESSION), F.lit(1)), lambda number: number.try_cast("bigint")
        )
    )
    times = F.array_compact(F.transform(F.regexp_extract_all(text, F.lit(_TIME), F.lit(1)), event_time))
    nameless = (F.size(sessions) == 0) | (F.regexp_count(text, F.lit(_TIME)) > F.size(sessions))
    nothing = F.array().cast("array<string>")
    elsewhere = F.when(nameless & (F.size(times) == 0), F.array("source_file")).otherwise(nothing)
    lost = F.concat(
        F.transform(sessions, lambda session: _lost(session=session)),
        F.transform(
            F.when(nameless, times).otherwise(F.array().cast("array<timestamp>")),
            lambda time: _lost(time=time),
        ),
        F.transform(elsewhere, lambda file: _lost(file=file)),
    )
    return rejected.select(F.inline(lost))


def _lost(session: Column | None = None, time: Column | None = None, file: Column | None = None) -> Column:
    nothing = F.lit(None)
    return F.struct(
        (nothing if session is None else session).cast("bigint").alias("lost_session"),
        (nothing if time is None else time).cast("timestamp").alias("lost_time"),
        (nothing if file is None else file).cast("string").alias("lost_file"),
    )


def with_gaps(rows: DataFrame, lost: DataFrame | None) -> DataFrame:
    """`rows` (`session_id`, `event_time`, `source_file`) with `gaps`: may the session lack a row?

    `source_file` may be null, of rows that are there as context only. `lost` is of `told_by`; None:
    nothing was ever rejected.
    """
    if lost is None:
        return rows.withColumns({"gaps": F.lit(False)})
    # one join by session, hour or file, so that no row is compared with every loss
    places = rows.select(
        "session_id", "event_time", _places("session_id", _hour("event_time"), "source_file").alias("place")
    )
    hours = F.transform(
        F.sequence(F.lit(-SILENCE_HOURS), F.lit(SILENCE_HOURS)),
        lambda hour: _place("hour", _hour("lost_time") + F.make_dt_interval(hours=hour)),
    )
    at_time = F.when(F.col("lost_time").isNotNull(), hours)
    elsewhere = F.array_compact(
        F.array(_place("session", F.col("lost_session")), _place("file", F.col("lost_file")))
    )
    losses = lost.select("lost_time", F.explode(F.coalesce(at_time, elsewhere)).alias("place")).distinct()
    silence = F.make_dt_interval(hours=F.lit(SILENCE_HOURS))
    time, lost_time = F.col("event_time"), F.col("lost_time")
    near = lost_time.isNull() | time.between(lost_time - silence, lost_time + silence)
    torn = (
        places.join(losses, (places["place"] == losses["place"]) & near, "left_semi")
        .select("session_id", F.lit(True).alias("_torn"))
        .distinct()
    )
    told = rows.join(torn, on="session_id", how="left")
    return told.withColumns({"gaps": F.col("_torn").isNotNull()}).drop("_torn")


def _hour(time: str) -> Column:
    return F.date_trunc("hour", F.col(time))


def _place(kind: str, value: Column) -> Column:
    return F.concat(F.lit(f"{kind} "), value.cast("string"))


def _places(session: str, hour: Column, file: str) -> Column:
    """The places in which a row may have lost a neighbour."""
    found = F.array(_place("session", F.col(session)), _place("hour", hour), _place("file", F.col(file)))
    return F.explode(F.array_compact(found))
