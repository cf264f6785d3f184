"""What the page of forecasts says of alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.forecasting.page_charts import alarm_chart
from pozytywka_spark.forecasting.stored import ALL
from pozytywka_spark.reports.page import Section

MOST_ALARMS = 12


@dataclass(frozen=True)
class Alarm:
    """A row of `forecast_alarms` with the days around it and the forecast it was held against."""

    row: Mapping[str, Any]
    history: pl.DataFrame
    forecast: pl.DataFrame


def show_alarms(
    section: Section, alarms: Sequence[Alarm], count: int, checks: int, names: Mapping[str, str]
) -> None:
    """The latest `alarms` of `count`, with the days around them; `checks`: how many days were checked."""
    section.tiles({"days checked": checks, "alarms": count})
    if len(alarms) < count:
        section.text(f"The latest {len(alarms)}.")
    section.table(
        [
            {
                "day": alarm.row["day"],
                "series": title_of(alarm.row, names),
                "actual": alarm.row["actual"],
                "expected": alarm.row["expected"],
                "p": alarm.row["p"],
                "detail": alarm.row["detail"],
            }
            for alarm in alarms
        ],
        empty="None." if checks else "No day was checked yet: forecast check.",
    )
    if alarms:
        section.charts(
            [
                alarm_chart(
                    alarm.row,
                    alarm.history,
                    alarm.forecast,
                    f"{title_of(alarm.row, names)}, {alarm.row['day']}",
                )
                for alarm in alarms
            ],
            alt="The days around each alarm, what was expected of them, and the day itself in red",
            columns=3,
            height=200,
        )


def title_of(row: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """A series in words: its measure, and of what."""
    parts = [row["city"], names.get(row["group_id"], row["group_id"])]
    places = [part for part, key in zip(parts, ("city", "group_id"), strict=True) if row[key] != ALL]
    return f"{row['measure']} of {', '.join(places)}" if places else str(row["measure"])
