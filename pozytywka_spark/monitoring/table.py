"""The table `monitoring`: what is there, what is still to be measured, and its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.monitoring.alerts import MODEL, Row
from pozytywka_spark.months import month_after
from pozytywka_spark.schemas import MONITORING

TREND_MONTHS = 36


def read_trend(lake: Lake, until: date) -> list[Row]:
    """The rows of the last three years up to a month: some hundreds a month, whatever the users."""
    if not lake.exists(MONITORING.name):
        return []
    first = month_after(until, 1 - TREND_MONTHS)
    rows = [row for row in lake.rows(MONITORING.name).to_pylist() if first <= row["month"] <= until]
    return sorted(rows, key=lambda row: (row["month"], row["subject"], row["metric"]))


def without_outcome(trend: Sequence[Mapping[str, Any]], month: date) -> dict[date, int]:
    """Months before `month` whose performance is estimated but not yet realised, with their model."""
    of_model = [row for row in trend if row["subject"] == MODEL and row["month"] < month]
    realised = {row["month"] for row in of_model if row["metric"].startswith("realised_")}
    return {row["month"]: row["model_version"] for row in of_model if row["month"] not in realised}


def completed(rows: Sequence[Mapping[str, Any]], common: Mapping[str, Any]) -> list[Row]:
    """The rows with what they have in common, and null for what they lack."""
    return [{**dict.fromkeys(MONITORING.columns), **common, **row} for row in rows]


def write(lake: Lake, rows: Sequence[Mapping[str, Any]]) -> None:
    """Replace the partitions of all months that `rows` have, in one commit."""
    months = sorted({row["month"] for row in rows})
    ordered = sorted(rows, key=lambda row: (row["month"], row["subject"], row["metric"]))
    records = [{name: row.get(name) for name in MONITORING.columns} for row in ordered]
    made = pa.Table.from_pylist(records, schema=arrow_schema(MONITORING.schema))
    lake.replace_partitions(made, MONITORING, [{"month": each} for each in months])
