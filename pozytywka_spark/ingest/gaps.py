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
    """What rejected rows (`raw`, `source_file`) tell: `lost_session`, else `lost_time`, else `lost_file`."""
    session = F.regexp_extract("raw", _SESSION, 1).try_cast("bigint")
    time = event_time(F.regexp_extract("raw", _TIME, 1))
    return rejected.select(
        session.alias("lost_session"),
        F.when(session.isNull(), time).alias("lost_time"),
        F.when(session.isNull() & time.isNull(), F.col("source_file")).alias("lost_file"),
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
