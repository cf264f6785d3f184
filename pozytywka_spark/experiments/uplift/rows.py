"""Rows that uplift models are fitted on: users of one treatment and of control, before and after entry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.experiments.assignment.allocation import CONTROL
from pozytywka_spark.experiments.assignment.assign import current
from pozytywka_spark.experiments.assignment.definitions import Experiment
from pozytywka_spark.experiments.assignment.eligibility import next_cut_off
from pozytywka_spark.experiments.assignment.hashing import bucket
from pozytywka_spark.experiments.assignment.purchases import first_purchases
from pozytywka_spark.experiments.uplift.estimate import FOLDS
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import PREDICTIONS


def as_rows(
    spark: SparkSession,
    settings: Settings,
    lake: Lake,
    experiment: Experiment,
    group: str,
    order: Sequence[str],
) -> DataFrame:
    """Grain user of `group` or control whose horizon is over: keys, `treated` and `bought` 0/1, `fold`,
    `score` (log-odds of the latest model for the month before entry; null unless all have one), features.

    Raises `DataError` if the tables aren't there.
    """
    missing = [table for table in ("features", "assignments") if not lake.exists(table)]
    if missing:
        raise DataError(
            f"uplift needs {', '.join(missing)}: run the features job and experiment assign first"
        )
    horizon = timedelta(days=settings.experiments.uplift.horizon_days)
    until = min(next_cut_off(lake, settings.data), experiment.ended or date.max)
    entry, bought_at = F.col("entered_at"), F.col("purchased_at")
    mature = entry + F.lit(horizon) <= F.lit(until).cast("timestamp")
    bought = bought_at.isNotNull() & (bought_at < entry + F.lit(horizon))
    users = (
        current(lake, experiment.latest.name, spark)
        .where(F.col("first_group").isin(group, CONTROL) & mature)
        .join(first_purchases(lake.read("events")), "user_id", "left")
        .where(bought_at.isNull() | (bought_at >= entry))
        .select(
            "user_id",
            F.add_months(F.to_date(entry), -1).alias("month"),
            F.col("first_revision").alias("revision"),
            (F.col("first_group") == group).cast("int").alias("treated"),
            bought.cast("int").alias("bought"),
            (bucket(settings.experiments.salt, "uplift:fold", F.col("user_id")) % FOLDS).alias("fold"),
        )
    )
    features = lake.read("features").select("user_id", "month", *order)
    rows = users.join(features, ["user_id", "month"], "inner")
    return rows.join(_scores(lake, rows), ["user_id", "month"], "left")


def check_enough(rows: DataFrame, group: str, fewest: int) -> dict[int, int]:
    """Users by fold. Raises `DataError` unless each group has `fewest` purchases in each fold."""
    found = rows.groupBy("fold", "treated").agg(
        F.count(F.lit(1)).alias("users"), F.sum("bought").alias("bought")
    )
    counts = {(row["fold"], row["treated"]): (row["users"], row["bought"]) for row in found.collect()}
    for fold in range(FOLDS):
        for treated, name in ((1, group), (0, CONTROL)):
            users, bought = counts.get((fold, treated), (0, 0))
            if bought < fewest:
                raise DataError(
                    f"too little data for uplift: {name} has {bought} purchases among {users:,} users in "
                    f"half {fold + 1}, at least {fewest} are needed; wait for more months, assign more "
                    "users, or raise experiments.uplift.horizon_days"
                )
    return {fold: counts[fold, 0][0] + counts[fold, 1][0] for fold in range(FOLDS)}


def treated_shares(experiment: Experiment, group: str) -> dict[int, float]:
    """By revision: the share of `group` among itself and control."""
    found = {}
    for each in experiment.revisions:
        sizes = each.allocation.sizes
        found[each.revision] = sizes[group] / (sizes[group] + sizes[CONTROL]) if sizes.get(group) else np.nan
    return found


def _scores(lake: Lake, rows: DataFrame) -> DataFrame:
    """Grain user and month: `score`, the margin of the latest model version that scored the month.

    Empty unless all of `rows` have one, and models of one label gave them: margins for different labels
    are no ranking.
    """
    empty = rows.select("user_id", "month", F.lit(None).cast("double").alias("score")).limit(0)
    if not lake.exists(PREDICTIONS.name):
        return empty
    predictions = lake.read(PREDICTIONS.name)
    # tables of older releases lack the column, or have null there: then nobody knows better
    label = F.col("label") if "label" in predictions.columns else F.lit(None).cast("string")
    best = predictions.groupBy("user_id", "month").agg(
        F.max_by("margin", "model_version").alias("score"), F.max_by(label, "model_version").alias("label")
    )
    joined = rows.select("user_id", "month").join(best, ["user_id", "month"], "left")
    found = joined.agg(
        F.count_if(F.col("score").isNull()).alias("lacking"), F.count_distinct("label").alias("labels")
    ).collect()[0]
    return best.drop("label") if found["lacking"] == 0 and found["labels"] <= 1 else empty
