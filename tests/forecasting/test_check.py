"""`check` over a lake: every day once, late deliveries and named days again, killed and repeated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.forecasting.check import check, read_checks
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.schemas import FORECAST_ALARMS, FORECASTS
from tests.worlds.histories import Rows, content, deliver, prepared, write_catalogue

FIRST = date(2023, 3, 1)
ORIGIN, NEXT = date(2023, 3, 11), date(2023, 3, 16)
PLAYS = 60
CATALOGUE: Mapping[str, Rows] = {
    "users": [{"user_id": user, "city": "Radom"} for user in range(30)],
    "artists": [],
    "tracks": [],
    "track_storage": [],
}


def plays(day: date, number: int = PLAYS, *, first: int = 0) -> Rows:
    start = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    return [
        {
            "event_time": start + timedelta(seconds=30 * place),
            "event_type": "PLAY",
            "user_id": place % 30,
            "session_id": day.toordinal() * 100 + place % 30,
            "track_id": "t",
        }
        for place in range(first, number)
    ]


def days(first: date, end: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((end - first).days)]


def foretell(lake: Lake, origin: date, until: date, mean: float = PLAYS) -> None:
    """Forecasts of plays, all and of the only city, and of who is active."""
    rows = [
        {
            "measure": measure, "city": city, "group_id": "all", "step": "D", "origin": origin, "day": day,
            "mean": value, "low_80": value - 13, "high_80": value + 13, "low_90": value - 16,
            "high_90": value + 16, "weights": [("ets", 1.0)], "run": f"run of {origin}",
        }
        for measure, value in (("plays", mean), ("active_users", mean / 2))
        for city in ("all", "Radom")
        for day in days(origin, until)
    ]  # fmt: skip
    table = as_table(rows, FORECASTS)
    lake.replace_partitions(table, FORECASTS, [{"step": "D", "origin": origin}])


@pytest.fixture
def made(spark: SparkSession, tmp_path: Path) -> tuple[Settings, Lake]:
    """Ten quiet days before the origin, then one that is cut short, and nine more, the last incomplete."""
    settings, lake = prepared(spark, tmp_path)
    write_catalogue(lake, CATALOGUE)
    events = [event for day in days(FIRST, date(2023, 3, 21)) for event in plays(day)]
    out = date(2023, 3, 14)
    deliver(lake, [event for event in events if event["event_time"].date() != out] + plays(out, 12))
    foretell(lake, ORIGIN, date(2023, 4, 1))
    foretell(lake, NEXT, date(2023, 3, 19))
    return settings, lake


def told(lake: Lake) -> Sequence[tuple[Any, ...]]:
    rows = lake.rows(FORECAST_ALARMS.name, ["measure", "city", "day", "actual", "expected", "origin"])
    return [tuple(row.values()) for row in rows.to_pylist()]


def test_days_are_checked_against_the_latest_forecast_before_them(made: tuple[Settings, Lake]) -> None:
    settings, lake = made
    checked = check(settings, lake)
    # the last forecast ends early: two days are beyond it, and the last of all isn't complete
    assert checked.days == tuple(days(ORIGIN, date(2023, 3, 19)))
    assert checked.unforetold == (date(2023, 3, 19),)
    assert told(lake) == [("plays", "all", date(2023, 3, 14), 12.0, 60.0, ORIGIN)]
    assert checked.incomplete == (date(2023, 3, 14),)
    (alarm,) = checked.alarms
    assert alarm.node.p() < 1e-6
    checks = read_checks(lake)
    assert [(day, checks[day]["origin"], checks[day]["alarms"]) for day in checked.days] == [
        (day, NEXT if day >= NEXT else ORIGIN, int(day == date(2023, 3, 14))) for day in checked.days
    ]
    again = check(settings, lake)
    assert again.unchanged
    assert again.alarms == ()


def test_a_late_delivery_and_a_named_day_are_looked_at_again(made: tuple[Settings, Lake]) -> None:
    settings, lake = made
    check(settings, lake)
    out = date(2023, 3, 14)
    named = Settings.model_validate(settings.model_dump() | {"forecast": {"known_days": [out]}})
    checked = check(named, lake)
    assert (checked.days, checked.alarms, checked.known) == ((out,), (), (out,))
    assert told(lake) == []
    assert check(settings, lake).alarms
    assert len(told(lake)) == 1
    deliver(lake, plays(out, first=12))
    checked = check(settings, lake)
    assert (checked.days, checked.alarms) == ((out,), ())
    assert told(lake) == []


class Breaking:
    """A lake that dies right before a write."""

    def __init__(self, lake: Lake, after: int) -> None:
        self.lake, self.left = lake, after

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.lake, name)
        if name != "overwrite":
            return attribute

        def write(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
            return attribute(*args, **kwargs)

        return write


def test_a_check_broken_off_is_repeated(made: tuple[Settings, Lake]) -> None:
    settings, lake = made
    from pozytywka_spark.forecasting.series import build_series

    build_series(settings, lake)
    for writes in (0, 1):
        with pytest.raises(KeyboardInterrupt):
            check(settings, Breaking(lake, writes))  # type: ignore[arg-type]  # a stand-in
        assert read_checks(lake) == {}
    checked = check(settings, lake)
    assert len(checked.alarms) == len(told(lake)) == 1
    assert content(lake, "forecast_checks")


def test_without_a_forecast_nothing_is_checked(spark: SparkSession, tmp_path: Path) -> None:
    settings, lake = prepared(spark, tmp_path)
    write_catalogue(lake, CATALOGUE)
    deliver(lake, [event for day in days(FIRST, date(2023, 3, 4)) for event in plays(day)])
    checked = check(settings, lake)
    assert checked.unchanged
    assert not lake.exists("forecast_alarms")
