"""Users of a month in groups: a bounded sample of each, chosen by a hash."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings, Simulation
from pozytywka_spark.datadays import span_of_features
from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.api import Lake, Partition
from pozytywka_spark.schemas import PREDICTIONS
from pozytywka_spark.training.serving import ServingModel
from pozytywka_spark.training.slice_columns import join_city, slices_of
from pozytywka_spark.wholemonth import ChosenMonth, choose_month

EVERYONE = "all users"


def read_scored(
    settings: Settings, lake: Lake, month: date | None, model: ServingModel
) -> tuple[DataFrame, ChosenMonth]:
    """Features of a month (default: the last complete one scored) with `probability`, as the champion has it.

    Raises `DataError` if the champion has scored no such month, or not the users that it has now.
    """
    told = f"{model.name} version {model.version}"
    scored = lake.read(PREDICTIONS.name) if lake.exists(PREDICTIONS.name) else None
    known: list[date] = []
    if scored is not None:
        mine = scored.where(F.col("model_version") == model.version).select("month").distinct()
        known = [row["month"] for row in mine.collect() if month in (None, row["month"])]
    if not known:
        which = f"{month:%Y-%m} has no scores" if month else "no month has scores"
        flag = f" --month {month:%Y-%m}" if month else ""
        raise DataError(f"{which} of the champion, {told}: run the score job first (score{flag})")
    chosen = choose_month(known, span_of_features(settings, lake), month, "simulated")
    last = chosen.month
    partition: Partition = {"month": last, "model_version": model.version}
    predictions = lake.read(PREDICTIONS.name, partitions=[partition]).select("user_id", "probability")
    features = lake.read("features", partitions=[{"month": last}])
    joined = features.join(predictions, "user_id", "full")
    sizes = joined.agg(
        F.count_if(F.col("month").isNull() | F.col("probability").isNull()).alias("stray")
    ).first()
    if sizes is not None and sizes["stray"]:
        raise DataError(
            f"the scores of {last:%Y-%m} by {told} are not of the users that table features has now "
            f"({sizes['stray']} differ): run the score job again"
        )
    return joined, chosen


def with_segment(rows: DataFrame, by: str, lake: Lake) -> DataFrame:
    """Add `segment`: the group's name, such as "activity: 10 to 49 plays"."""
    if by == "all":
        return rows.withColumns({"segment": F.lit(EVERYONE)})
    named = join_city(rows, lake.read("users")) if by == "city" and lake.exists("users") else rows
    slices = slices_of(named.columns)
    if f"slice_{by}" not in slices:
        raise DataError(
            f"users can't be grouped by {by}: the lake has not what it takes; "
            "choose another --segment of all, city, tenure, activity"
        )
    segment = F.concat(F.lit(f"{by}: "), slices[f"slice_{by}"])
    return named.withColumns({"segment": segment}).select(*rows.columns, "segment")


def sampled(rows: DataFrame, columns: Sequence[str], chosen: Simulation) -> DataFrame:
    """Grain user: user_id, `columns`, segment, dice, and of its whole segment users and purchases.

    At most as many of each segment as tries and neighbours need, those with the lowest dice. Expected
    purchases are summed exactly, in decimals: the same whatever the order of rows.
    """
    of_segment = Window.partitionBy("segment")
    by_dice = of_segment.orderBy("dice", "user_id")
    exact = F.sum(F.col("probability").cast("decimal(20,12)")).over(of_segment)
    diced = rows.select(
        "user_id", *columns, "segment", "probability",
        F.xxhash64("user_id", F.lit(chosen.seed)).alias("dice"),
    )  # fmt: skip
    counted = diced.withColumns(
        {
            "users": F.count(F.lit(1)).over(of_segment),
            "purchases": exact.cast("double"),
            "place": F.row_number().over(by_dice),
        }
    )
    return counted.where(F.col("place") <= max(chosen.rows, chosen.neighbours)).drop("place", "probability")
