"""The training set: features beside labels, on the sides of the split, guarded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, GuardError
from pozytywka_spark.features.guards.frames import check_mature, check_purge
from pozytywka_spark.training.splits import TEST, TRAIN, VALIDATION, MonthCount, TimeSplit

SIDE = "side"
LABEL = "label"


def whole_months(labels: DataFrame, settings: Settings) -> DataFrame:
    """`labels` without the months that the data don't cover, unless `training.incomplete_months`.

    Labels of an older release don't say; a model that was trained on them is made again from all of them.
    """
    if settings.training.incomplete_months or "complete" not in labels.columns:
        return labels
    return labels.filter(F.coalesce("complete", F.lit(True)))


def count_months(labels: DataFrame, label: str) -> list[MonthCount]:
    """Mature rows and positives by month, from labels (user_id, month, mature, `label` int)."""
    counted = (
        labels.filter(F.col("mature") & F.col(label).isNotNull())
        .groupBy("month")
        .agg(F.count("*").alias("rows"), F.sum(F.col(label).cast("bigint")).alias("positives"))
        .orderBy("month")
    )
    return [MonthCount(row["month"], row["rows"], row["positives"]) for row in counted.collect()]


def training_rows(
    features: DataFrame, labels: DataFrame, order: Sequence[str], label: str, split: TimeSplit
) -> DataFrame:
    """Grain user and month: user_id, month, cut_off, horizon_end, mature, side, label double, the features.

    Only mature rows of the split's months (guard 2). Raises `DataError` if a feature is missing.
    """
    missing = [name for name in order if name not in features.columns]
    if missing:
        raise DataError(
            f"table features lacks {len(missing)} of {len(order)} features, such as {missing[0]}: "
            "build the features again with this catalogue"
        )
    known = (
        labels.filter(F.col("mature") & F.col(label).isNotNull())
        .withColumns({SIDE: _side(split), LABEL: F.col(label).cast("double")})
        .filter(F.col(SIDE).isNotNull())
        .select("user_id", "month", "cut_off", "horizon_end", "mature", SIDE, LABEL)
    )
    wanted = features.filter(F.col("month").isin(_all_months(split))).select("user_id", "month", *order)
    return known.join(wanted, ["user_id", "month"], "inner")


def check_training_rows(
    rows: DataFrame, counts: Sequence[MonthCount], split: TimeSplit
) -> dict[str, tuple[int, int]]:
    """Rows and positives of each side, after the guards of maturity, purge and rows.

    Raises `GuardError` if a row is immature, if a label horizon passes the first cut-off of a later
    side, or if the rows are not exactly the labels' (a key twice, a label without features).
    """
    check_mature(rows)
    for earlier, later in ((TRAIN, VALIDATION), (TRAIN, TEST), (VALIDATION, TEST)):
        check_purge(rows.filter(F.col(SIDE) == earlier), rows.filter(F.col(SIDE) == later), (earlier, later))
    counted = rows.groupBy(SIDE).agg(
        F.count("*").alias("rows"),
        F.count_distinct("user_id", "month").alias("keys"),
        F.sum(LABEL).cast("bigint").alias("positives"),
    )
    found = {row[SIDE]: row for row in counted.collect()}
    for side, months in split.sides.items():
        expected = sum(count.rows for count in counts if count.month in months)
        rows_found, keys = (found[side]["rows"], found[side]["keys"]) if side in found else (0, 0)
        if not rows_found == keys == expected:
            raise GuardError(
                f"guard rows: {side} has {expected} mature labels, but {rows_found} rows with features "
                f"of {keys} users and months; build the features again"
            )
    return {side: (row["rows"], row["positives"]) for side, row in found.items()}


def content_hash(rows: DataFrame) -> str:
    """A digest of what `rows` hold, whatever their order: equal content, equal digest."""
    columns = sorted(rows.columns)
    digest = F.xxhash64(*columns)
    # two independent folds: an exclusive or alone would not see a row that stands twice
    folded = rows.agg(F.count("*"), F.bit_xor(digest), F.sum(digest.cast("decimal(20,0)"))).first()
    return hashlib.sha256(json.dumps([columns, [str(value) for value in folded or ()]]).encode()).hexdigest()


def _all_months(split: TimeSplit) -> list[date]:
    return [month for months in split.sides.values() for month in months]


def _side(split: TimeSplit) -> Column:
    side = F.lit(None).cast("string")
    for name, months in split.sides.items():
        side = F.when(F.col("month").isin(list(months)), F.lit(name)).otherwise(side)
    return side
