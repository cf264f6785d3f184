"""Who gets an offer: a stated policy over calibrated probabilities and ranks."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.config import Policy

STEPS = 10_000  # probabilities are told apart to a hundredth of a percent where a precision is asked for


def with_selected(predictions: DataFrame, policy: Policy) -> DataFrame:
    """Add `selected` boolean to rows with `probability` (calibrated) and `rank`.

    budget: the first `budget_users` ranks. value: users whose expected sale is worth more than the
    contact. precision: the largest group of best users whose expected share of buyers, the mean of
    their probabilities, is at least `precision`; users within 1/10,000 of each other go together.
    """
    if policy.kind == "precision":
        lowest = predictions.transform(lowest_step, policy.precision)
        joined = predictions.join(F.broadcast(lowest))
        return joined.withColumns({"selected": F.coalesce(_step() >= F.col("lowest"), F.lit(False))}).drop(
            "lowest"
        )
    rules = {
        "none": F.lit(False),
        "budget": F.col("rank") <= policy.budget_users,
        "value": F.col("probability") * policy.value_of_sale > policy.cost_of_contact,
    }
    return predictions.withColumns({"selected": rules[policy.kind]})


def lowest_step(predictions: DataFrame, precision: float) -> DataFrame:
    """One row: `lowest`, the lowest step of probability in the group; null if nobody is good enough."""
    steps = predictions.groupBy(_step().alias("step")).agg(
        F.sum("probability").alias("buyers"), F.count("*").alias("users")
    )
    # at most 10,000 rows by now, whatever the number of users
    pairs = F.sort_array(F.collect_list(F.struct("step", "buyers", "users")), asc=False)
    start = F.struct(
        F.lit(0.0).alias("buyers"),
        F.lit(0).cast("bigint").alias("users"),
        F.lit(None).cast("bigint").alias("lowest"),
    )

    def grow(group: Column, step: Column) -> Column:
        buyers, users = group["buyers"] + step["buyers"], group["users"] + step["users"]
        good = buyers >= users * F.lit(precision)
        lowest = F.when(good, step["step"]).otherwise(group["lowest"])
        return F.struct(buyers.alias("buyers"), users.alias("users"), lowest.alias("lowest"))

    grown = F.aggregate("pairs", start, grow)
    return steps.agg(pairs.alias("pairs")).select(grown["lowest"].alias("lowest"))


def _step() -> Column:
    return F.floor(F.col("probability") * STEPS)
