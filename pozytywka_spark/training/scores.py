"""Scored rows for evaluation: every model beside the others, and the slices of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.training.booster import probability, with_margins
from pozytywka_spark.training.estimators import MAJORITY
from pozytywka_spark.training.predictors import LOGISTIC, XGBOOST
from pozytywka_spark.training.rows import LABEL, SIDE
from pozytywka_spark.training.serving import ServingModel
from pozytywka_spark.training.splits import TEST, VALIDATION

UNCALIBRATED = "xgboost-uncalibrated"
CITIES = 20
_IDS = ("user_id", "month", SIDE, LABEL)


def with_scores(
    rows: DataFrame, models: Mapping[str, ServingModel], slices: Mapping[str, Column]
) -> DataFrame:
    """Grain user and month of validation and test: keys, side, label, slices, a score a model.

    `models` by kind, logistic regression and trees, of the same features; both scores are calibrated.
    """
    trees = models[XGBOOST]
    held_out = rows.filter(F.col(SIDE).isin(VALIDATION, TEST)).withColumns(dict(slices))
    predictors = {kind: model.predictor for kind, model in models.items()}
    scored = with_margins(held_out, predictors, trees.features, [*_IDS, *slices])
    return scored.select(
        *_IDS,
        *slices,
        F.lit(trees.base_rate).alias(MAJORITY),
        *(model.calibrator.of(F.col(kind)).alias(kind) for kind, model in models.items()),
        probability(F.col(XGBOOST)).alias(UNCALIBRATED),
    )


def by_model(
    scored: DataFrame, models: Sequence[str] = (MAJORITY, LOGISTIC, XGBOOST, UNCALIBRATED)
) -> DataFrame:
    """Grain user, month, model: name ("model side"), user_id, label, score."""
    pairs = [F.struct(F.lit(name).alias("model"), F.col(name).alias("score")) for name in models]
    long = scored.select("user_id", SIDE, LABEL, F.explode(F.array(*pairs)).alias("pair"))
    name = F.concat_ws(" ", "pair.model", SIDE).alias("name")
    return long.select(name, "user_id", LABEL, F.col("pair.score").alias("score"))


def by_slice(scored: DataFrame, slices: Sequence[str], model: str = XGBOOST) -> DataFrame:
    """Grain user, month, slice of the test side: name ("slice: value"), user_id, label, score."""
    test = scored.filter(F.col(SIDE) == TEST)
    names = [F.concat(F.lit(f"{name.removeprefix('slice_')}: "), F.col(name)) for name in slices]
    return test.select(
        F.explode(F.array(*names)).alias("name"), "user_id", LABEL, F.col(model).alias("score")
    )


def slices_of(columns: Sequence[str]) -> dict[str, Column]:
    """Slices that the rows' columns allow, as text columns: month, city, tenure, activity."""
    found = {"slice_month": F.date_format("month", "yyyy-MM")}
    if "city" in columns:
        found["slice_city"] = F.coalesce("city", F.lit("unknown"))
    if "tenure_days" in columns:
        found["slice_tenure"] = _ranges("tenure_days", (30, 90, 180, 365), "days")
    if "number_of_tracks" in columns:
        found["slice_activity"] = _ranges("number_of_tracks", (1, 10, 50, 200), "plays")
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


def _ranges(name: str, edges: Sequence[int], unit: str) -> Column:
    """Which half-open range of whole numbers the value lies in, in words."""
    told = F.lit(f"{edges[-1]} {unit} or more")
    for low, high in reversed(list(zip((None, *edges), edges, strict=False))):
        text = f"under {high} {unit}" if low is None else f"{low} to {high - 1} {unit}"
        text = f"no {unit}" if low is None and high == 1 else text
        told = F.when(F.col(name) < high, F.lit(text)).otherwise(told)
    return F.when(F.col(name).isNull(), F.lit("unknown")).otherwise(told)
