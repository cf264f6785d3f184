"""The slices of `groups` as columns of Spark."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.training.groups import RANGES, UNKNOWN, range_names

CITIES = 20


def slices_of(columns: Sequence[str]) -> dict[str, Column]:
    """Slices that the rows' columns allow, as text columns: month, city, tenure, activity."""
    found = {"slice_month": F.date_format("month", "yyyy-MM")}
    if "city" in columns:
        found["slice_city"] = F.coalesce("city", F.lit(UNKNOWN))
    for name, (feature, edges, unit) in RANGES.items():
        if feature in columns:
            found[f"slice_{name}"] = _in_ranges(feature, edges, range_names(edges, unit))
    return found


def join_city(rows: DataFrame, users: DataFrame) -> DataFrame:
    """Add `city`: the user's, or "other" beyond the twenty cities with most users."""
    known = users.select("user_id", "city")
    largest = known.groupBy("city").count().orderBy(F.desc("count"), "city").limit(CITIES)
    named = known.join(
        F.broadcast(largest.select("city").withColumns({"large": F.lit(True)})), "city", "left"
    )
    city = F.when(F.col("large"), F.col("city")).when(F.col("city").isNotNull(), F.lit("other"))
    return rows.join(F.broadcast(named.select("user_id", city.alias("city"))), "user_id", "left")


def _in_ranges(feature: str, edges: Sequence[int], names: Sequence[str]) -> Column:
    told = F.lit(names[-1])
    for edge, name in reversed(list(zip(edges, names, strict=False))):
        told = F.when(F.col(feature) < edge, F.lit(name)).otherwise(told)
    return F.when(F.col(feature).isNull(), F.lit(UNKNOWN)).otherwise(told)
