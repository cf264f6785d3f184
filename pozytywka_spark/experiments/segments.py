"""Counts behind the segments, and behind what muddies a reading: a few rows whatever the number of users."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.experiments.allocation import CONTROL
from pozytywka_spark.experiments.participants import NONE
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import ASSIGNMENTS, EXPOSURES

SEGMENTS = ("city", "tenure", "activity")
OTHER = "other cities"
UNKNOWN = "unknown"


def segment_counts(users: DataFrame, max_cities: int) -> list[dict[str, Any]]:
    """A row a segment, value, group and stratum: users and buyers among those who take part."""
    taking_part = users.where(~F.col("early"))
    largest = (
        taking_part.where(F.col("city").isNotNull())
        .groupBy("city")
        .count()
        .orderBy(F.desc("count"), "city")
        .limit(max_cities)
        .select("city", F.lit(True).alias("large"))
    )
    named = taking_part.join(F.broadcast(largest), "city", "left")
    city = F.when(F.col("large"), F.col("city")).when(F.col("city").isNotNull(), F.lit(OTHER))
    values = {"city": city, "tenure": F.col("tenure"), "activity": F.col("activity")}
    pairs = F.array(
        *(
            F.struct(F.lit(name).alias("segment"), F.coalesce(values[name], F.lit(UNKNOWN)).alias("value"))
            for name in SEGMENTS
        )
    )
    rows = (
        named.select("group", "revision", "bought", F.explode(pairs).alias("pair"))
        .groupBy("pair.segment", "pair.value", "group", "revision")
        .agg(F.count(F.lit(1)).alias("users"), F.count_if(F.col("bought") != NONE).alias("buyers"))
        .collect()
    )
    return [row.asDict() for row in rows]


def contamination(
    users: DataFrame, lake: Lake, name: str, others: Sequence[str], until: date
) -> list[dict[str, Any]]:
    """A row a group and way in which groups aren't what they are named: users concerned.

    The reading goes by the first group all the same (intention to treat): leaving such users out would
    compare groups that differ in who stayed.
    """
    rows = [
        {"group": row["group"], "what": what, "users": row[what]}
        for row in _in_this_experiment(users, lake, name, until)
        for what in row.asDict()
        if what != "group" and row[what]
    ]
    if others:
        elsewhere = (
            lake.read(ASSIGNMENTS.name, partitions=[{"experiment": other} for other in others])
            .where((F.col("group") != CONTROL) & (F.col("assigned_at") < F.lit(until).cast("timestamp")))
            .select("user_id", "experiment")
            .distinct()
        )
        shared = users.join(elsewhere, "user_id", "inner").groupBy("group", "experiment").count()
        rows += [
            {"group": row["group"], "what": f"also treated by {row['experiment']}", "users": row["count"]}
            for row in shared.orderBy("experiment", "group").collect()
        ]
    return rows


def _in_this_experiment(users: DataFrame, lake: Lake, name: str, until: date) -> list[Any]:
    control = F.col("group") == CONTROL
    counts = {
        "moved into treatment later": F.count_if(F.col("moved")),
        "bought before entry, left out": F.count_if("early"),
    }
    exposures = _exposures(lake, name, until)
    if exposures is not None:
        users = users.join(exposures, "user_id", "left")
        seen = F.coalesce("exposed", F.lit(False))
        counts |= {
            "exposed although control": F.count_if(control & ~F.col("moved") & seen),
            "never exposed although treated": F.count_if(~control & ~seen),
        }
    named = [count.alias(what) for what, count in counts.items()]
    return users.groupBy("group").agg(*named).orderBy("group").collect()


def _exposures(lake: Lake, name: str, until: date) -> DataFrame | None:
    """Users who met the treatment before `until`; None if nobody logged any exposure of the experiment."""
    if not lake.exists(EXPOSURES.name):
        return None
    logged = lake.read(EXPOSURES.name, partitions=[{"experiment": name}])
    if logged.isEmpty():
        return None
    met = logged.where(F.col("exposed_at") < F.lit(until).cast("timestamp"))
    return met.select("user_id").distinct().withColumns({"exposed": F.lit(True)})
