"""The training set: features beside labels, on the sides of the split, guarded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.hashing.fingerprints import LONG, fingerprint_of
from pozytywka_spark.months import TimeSplit
from pozytywka_spark.names import LABEL, SIDE


def whole_months(labels: DataFrame, settings: Settings) -> DataFrame:
    """`labels` without the months that the data don't cover, unless `training.incomplete_months`.

    Labels of an older release don't say; a model that was trained on them is made again from all of them.
    """
    if settings.training.incomplete_months or "complete" not in labels.columns:
        return labels
    return labels.filter(F.coalesce("complete", F.lit(True)))


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
    labelled = (
        labels.filter(F.col("mature") & F.col(label).isNotNull())
        .withColumns({SIDE: _side(split), LABEL: F.col(label).cast("double")})
        .filter(F.col(SIDE).isNotNull())
        .select("user_id", "month", "cut_off", "horizon_end", "mature", SIDE, LABEL)
    )
    featured = features.filter(F.col("month").isin(_all_months(split))).select("user_id", "month", *order)
    return labelled.join(featured, ["user_id", "month"], "inner")


def content_hash(rows: DataFrame) -> str:
    """A digest of what `rows` hold, whatever their order: equal content, equal digest."""
    columns = sorted(rows.columns)
    digest = F.xxhash64(*columns)
    # two independent folds: an exclusive or alone would not see a row that stands twice
    folded = rows.agg(F.count("*"), F.bit_xor(digest), F.sum(digest.cast("decimal(20,0)"))).first()
    return fingerprint_of([columns, [str(value) for value in folded or ()]], LONG)


def _all_months(split: TimeSplit) -> list[date]:
    return [month for months in split.sides.values() for month in months]


def _side(split: TimeSplit) -> Column:
    side = F.lit(None).cast("string")
    for name, months in split.sides.items():
        side = F.when(F.col("month").isin(list(months)), F.lit(name)).otherwise(side)
    return side
