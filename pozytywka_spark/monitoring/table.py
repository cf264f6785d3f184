"""The table `monitoring`: what is there, what is still to be measured, and its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.features.months import month_at, number_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.monitoring.findings import MODEL, Row
from pozytywka_spark.schemas import MONITORING

TREND_MONTHS = 36
_NUMBERS = ("value", "low", "high", "threshold")


def read_trend(lake: Lake, until: date) -> list[Row]:
    """The rows of the last three years up to a month: some hundreds a month, whatever the users."""
    if not lake.exists(MONITORING.name):
        return []
    first = month_at(number_of(until) - TREND_MONTHS + 1)
    rows = lake.read(MONITORING.name).where(F.col("month").between(F.lit(first), F.lit(until)))
    return [row.asDict() for row in rows.orderBy("month", "subject", "metric").collect()]


def without_outcome(trend: Sequence[Mapping[str, Any]], month: date) -> dict[date, int]:
    """Months before `month` whose performance is estimated but not yet realised, with their model."""
    of_model = [row for row in trend if row["subject"] == MODEL and row["month"] < month]
    realised = {row["month"] for row in of_model if row["metric"].startswith("realised_")}
    return {row["month"]: row["model_version"] for row in of_model if row["month"] not in realised}


def completed(rows: Sequence[Mapping[str, Any]], common: Mapping[str, Any]) -> list[Row]:
    """The rows with what they have in common, and null for what they lack."""
    return [{**dict.fromkeys(MONITORING.columns), **common, **row} for row in rows]


def write(spark: SparkSession, lake: Lake, rows: Sequence[Mapping[str, Any]]) -> None:
    """Replace the partitions of all months that `rows` have, in one commit."""
    months = sorted({row["month"] for row in rows})
    records = [
        tuple(
            float(row[name]) if name in _NUMBERS and row[name] is not None else row.get(name)
            for name in MONITORING.columns
        )
        for row in sorted(rows, key=lambda row: (row["month"], row["subject"], row["metric"]))
    ]
    frame = spark.createDataFrame(records, MONITORING.schema).repartition("month")
    lake.replace_partitions(MONITORING.conform(frame), MONITORING, [{"month": each} for each in months])
