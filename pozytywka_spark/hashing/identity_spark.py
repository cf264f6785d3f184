"""The stated hashes of `hashing.identity` as Spark's columns, for tables that Spark itself rewrites."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from pozytywka_spark.hashing.identity import FACTOR, MODULUS


def event_id() -> Column:
    """Sixteen bytes, of `event_time`, `event_type`, `user_id`, `session_id`, `track_id`."""
    time, track = F.unix_micros("event_time"), F.coalesce("track_id", F.lit(""))
    return F.unhex(F.md5(F.concat_ws("|", time, "event_type", "user_id", "session_id", track)))


def user_bucket(buckets: int) -> Column:
    """The bucket of `user_id`, from 0 to `buckets` - 1, as an int."""
    step = F.col("user_id") % F.lit(MODULUS) * F.lit(FACTOR).cast("bigint") % F.lit(MODULUS)
    return (step % F.lit(buckets)).cast("int")
