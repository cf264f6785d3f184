"""The calendar, against days that anybody can look up."""

from __future__ import annotations

import calendar
import math
from datetime import date, datetime, timedelta

import pytest
from dateutil.easter import easter

from pozytywka_spark.forecasting.calendar import calendar_columns, holiday_name, is_holiday

FIXED = ((1, 1), (1, 6), (5, 1), (5, 3), (8, 15), (11, 1), (11, 11), (12, 25), (12, 26))


@pytest.mark.thorough
@pytest.mark.parametrize("year", range(2011, 2025))  # from 1960 to 2010 Epiphany was none
def test_holidays_are_those_of_polish_law(year: int) -> None:
    sunday = easter(year)
    moving = {sunday + timedelta(days=n) for n in (0, 1, 49, 60)}
    extra = {date(2018, 11, 12)}  # once: a hundred years of independence
    expected = (
        {date(year, month, day) for month, day in FIXED} | moving | {d for d in extra if d.year == year}
    )
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(365 + calendar.isleap(year))]
    assert {day for day in days if is_holiday(day)} == expected


@pytest.mark.thorough
def test_christmas_eve_is_a_holiday_since_2025() -> None:
    assert [is_holiday(date(year, 12, 24)) for year in (2024, 2025, 2026)] == [False, True, True]
    assert holiday_name(date(2023, 11, 11)) == "National Independence Day"
    assert holiday_name(date(2023, 11, 12)) is None


def test_days_around_the_third_of_may() -> None:
    days = [date(2024, 4, 30) + timedelta(days=n) for n in range(6)]  # Tuesday to Sunday
    rows = calendar_columns(days, "D").to_dicts()
    assert [row["holiday"] for row in rows] == [0, 1, 0, 1, 0, 0]
    assert [row["eve"] for row in rows] == [1, 0, 1, 0, 0, 0]
    assert [row["bridge"] for row in rows] == [0, 0, 1, 0, 0, 0]  # Thursday, between two holidays
    assert math.isclose(rows[1]["month_sin"], 0)
    assert rows[1]["month_cos"] == 1
    corpus_christi = calendar_columns([date(2023, 6, 9), date(2023, 6, 10)], "D").to_dicts()
    assert [row["bridge"] for row in corpus_christi] == [1, 0]


def test_hours_have_their_day_s_columns_weeks_and_months_their_own() -> None:
    hours = calendar_columns([datetime(2023, 11, 11, hour) for hour in (0, 23)], "h")
    assert hours.get_column("holiday").to_list() == [1, 1]
    assert calendar_columns([date(2023, 12, 24), date(2023, 12, 31)], "W").to_dicts() == [
        {"holidays": 2.0}, {"holidays": 2.0},
    ]  # fmt: skip
    months = calendar_columns([date(2023, 11, 1), date(2023, 12, 1)], "MS")
    # November: 22 weekdays, one holiday (the 1st; the 11th was a Saturday); December: 21, two holidays
    assert months.get_column("working_days").to_list() == [21 / 23, 19 / 23]
    with pytest.raises(ValueError, match="h, D, W or MS"):
        calendar_columns([date(2023, 11, 1)], "Q")
