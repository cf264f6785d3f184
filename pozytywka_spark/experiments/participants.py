"""Who takes part and what became of them: one row a user, from assignments, events and the time before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.config import Experiments
from pozytywka_spark.errors import DataError
from pozytywka_spark.experiments.purchases import first_purchases
from pozytywka_spark.features.months import month_at, number_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import month_of

NONE = -1  # month number of users who haven't bought
TENURES = ((3, "under 3 months"), (12, "3 to 11 months"))
PLAYS = ((1, "no plays"), (50, "1 to 49 plays"), (200, "50 to 199 plays"))


def outcomes(assigned: DataFrame, events: DataFrame, until: date) -> DataFrame:
    """Grain user with a group: `user_id`, `group` and `revision` (the first), `moved` boolean, `entered` and
    `bought` (month numbers; -1: not yet), `early` boolean (bought before entry: takes no part).

    Only purchases in [entry, until) count; a purchase at the very cut-off of entry lies after it.
    """
    purchases = first_purchases(events)
    entry = F.col("entered_at")
    bought = F.col("purchased_at")
    counts = bought.isNotNull() & (bought >= entry) & (bought < F.lit(until).cast("timestamp"))
    return assigned.join(purchases, "user_id", "left").select(
        "user_id",
        F.col("first_group").alias("group"),
        F.col("first_revision").alias("revision"),
        (F.col("first_group") != F.col("group")).alias("moved"),
        _month_number(month_of(entry)).alias("entered"),
        F.when(counts, _month_number(month_of(bought))).otherwise(NONE).alias("bought"),
        F.coalesce(bought < entry, F.lit(False)).alias("early"),
    )


def with_past(users: DataFrame, lake: Lake, chosen: Experiments, started: date) -> DataFrame:
    """Add `city`, `tenure` and `activity` (segments; null unknown) and `x`, an array of covariates.

    Everything is of months before the user's own entry, but for the city, a snapshot. Covariates are
    ln(1 + sum) of each of `cuped_measures` over `pre_months` and ln(1 + months since the first event).
    Nobody entered before `started`, so months too far before it aren't read.
    """
    cities = lake.read("users").select("user_id", "city")
    past = past_of(users, lake, chosen, started)
    joined = users.join(cities, "user_id", "left").join(past, "user_id", "left")
    debuts = lake.read("user_debuts").select("user_id", _month_number(F.col("month")).alias("debut"))
    tenure = F.greatest(F.col("entered") - F.col("debut"), F.lit(0))
    sums = [F.coalesce(F.col(f"_{name}"), F.lit(0)) for name in chosen.cuped_measures]
    plays = F.coalesce(F.col("_plays"), F.lit(0))
    covariates = [*sums, F.coalesce(tenure, F.lit(0))]
    return joined.join(debuts, "user_id", "left").select(
        *users.columns,
        "city",
        _bin(tenure, TENURES, "12 months or more").alias("tenure"),
        _bin(plays, PLAYS, "200 plays or more").alias("activity"),
        F.array(*(F.log1p(value.cast("double")) for value in covariates)).alias("x"),
    )


def without_past(users: DataFrame) -> DataFrame:
    """As `with_past` where the features job has not run: no segments, no covariates."""
    nothing = F.lit(None).cast("string")
    return users.select(
        *users.columns,
        nothing.alias("city"),
        nothing.alias("tenure"),
        nothing.alias("activity"),
        F.array().cast("array<double>").alias("x"),
    )


def past_of(users: DataFrame, lake: Lake, chosen: Experiments, started: date) -> DataFrame:
    """Grain user with a row in `user_month` within `pre_months` before entry: the measures' sums, `_name`."""
    first = month_at(number_of(started) - chosen.pre_months)
    months = lake.read("user_month").where(F.col("month") >= F.lit(first))
    unknown = [name for name in chosen.cuped_measures if name not in months.columns]
    if unknown:
        raise DataError(f"experiments.cuped_measures: table user_month has no {', '.join(unknown)}")
    names = list(dict.fromkeys(["plays", *chosen.cuped_measures]))
    before = _month_number(F.col("month")) - F.col("entered")
    return (
        months.select("user_id", "month", *names)
        .join(users.select("user_id", "entered"), "user_id", "inner")
        .where((before < 0) & (before >= -chosen.pre_months))
        .groupBy("user_id")
        .agg(*(F.sum(name).alias(f"_{name}") for name in names))
    )


def _bin(value: Column, edges: Sequence[tuple[int, str]], last: str) -> Column:
    chosen = F.when(value.isNotNull(), F.lit(last))
    for edge, name in reversed(edges):
        chosen = F.when(value < edge, F.lit(name)).otherwise(chosen)
    return chosen


def reading_months(start: date, until: date) -> list[date]:
    """The months of a reading, in order. Raises `DataError` if there are none."""
    months = [month_at(number) for number in range(number_of(start), number_of(until))]
    if not months:
        raise DataError(
            f"nothing to read yet: the experiment starts at {start} and the last month that is over "
            f"ends at {until}; "
            "ingest the months after its start first"
        )
    return months


def _month_number(month: Column) -> Column:
    """Months since year 0, as `months.number_of`."""
    return F.year(month) * 12 + F.month(month) - 1
