"""Who is blocked at a time, as Spark's rows, for stages that join DataFrames."""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.moderation.inputs import settled_until
from pozytywka_spark.moderation.rows import NEVER
from pozytywka_spark.months import as_micros, as_moment


def blocked_frame(lake: Lake, moment: datetime) -> DataFrame | None:
    """Grain account that is blocked at `moment`: `user_id`, `blocked_until`; None where moderation never ran.

    From what was recorded by then, as `blocked.blocked_at`.
    """
    settled = settled_until(lake)
    if settled == NEVER or not lake.exists(schemas.BLOCKS.name):
        return None
    known, asked = F.lit(as_moment(min(as_micros(moment), settled))), F.lit(moment)
    rows = lake.read(schemas.BLOCKS.name).where(F.col("recorded_at") <= known)
    row = F.max_by(F.struct("starts_at", "ends_at"), "recorded_at").alias("block")
    held = rows.groupBy("user_id", "case_id").agg(row)
    runs = (F.col("block.starts_at") <= asked) & (asked < F.col("block.ends_at"))
    return held.where(runs).groupBy("user_id").agg(F.max("block.ends_at").alias("blocked_until"))
