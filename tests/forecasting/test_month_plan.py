"""A month's plan: sums of what was and what is expected, and how often the intervals of sums hold."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from pozytywka_spark.forecasting.plan_work import Planned, plan_by_months, plan_measure
from pozytywka_spark.forecasting.stored import ALL, ERRORS

ORIGIN = date(2024, 3, 11)  # ten days of March are known
MARCH = date(2024, 3, 1)
KEYS = {"measure": "adverts", "city": ALL, "group_id": ALL}


def actual_days(measure: str, first: date, values: list[float]) -> pl.DataFrame:
    days = [first + timedelta(days=n) for n in range(len(values))]
    return pl.DataFrame({"day": days, "value": values}).with_columns(measure=pl.lit(measure))


def forecast_days(measure: str, means: list[float], half: float, city: str = ALL) -> pl.DataFrame:
    days = [ORIGIN + timedelta(days=n) for n in range(len(means))]
    mean = pl.Series("mean", means)
    return pl.DataFrame({"day": days, "mean": mean}).with_columns(
        measure=pl.lit(measure),
        city=pl.lit(city),
        group_id=pl.lit(ALL),
        origin=pl.lit(ORIGIN),
        low_80=mean - half * 0.78,
        high_80=mean + half * 0.78,
        low_90=mean - half,
        high_90=mean + half,
    )


def no_errors() -> pl.DataFrame:
    return pl.DataFrame(schema=ERRORS)


def error_rows(paths: np.ndarray, measure: str = "adverts", city: str = ALL) -> pl.DataFrame:
    """A row an origin, a column a day ahead; the forecast said 0."""
    origins, ahead = paths.shape
    return pl.DataFrame(
        {
            "measure": [measure] * paths.size,
            "city": [city] * paths.size,
            "group_id": [ALL] * paths.size,
            "model": ["combined"] * paths.size,
            "origin": np.repeat([date(2020, 1, 1) + timedelta(days=n) for n in range(origins)], ahead),
            "ahead": np.tile(np.arange(1, ahead + 1, dtype=np.int32), origins),
            "mean": np.zeros(paths.size),
            "actual": paths.ravel(),
        }
    )


def test_days_that_were_and_days_to_come_are_one_sum_beside_last_year() -> None:
    last_year = actual_days("adverts", date(2023, 3, 1), [2.0] * 31)
    this_month = actual_days("adverts", MARCH, [7.0] * 10)
    actual = pl.concat([last_year, this_month])
    plan = plan_measure("adverts", MARCH, actual, forecast_days("adverts", [10.0] * 35, 1.0), no_errors())
    # without a backtest the days' widths are added: 21 of them
    assert plan == Planned(
        "adverts", False, 70.0, 280.0, *(pytest.approx(280 + 21 * width) for width in (-0.78, 0.78, -1, 1)),
        last_year=62.0, ratios=0,
    )  # fmt: skip
    assert plan.change == pytest.approx(280 / 62 - 1)
    april = plan_measure(
        "adverts", date(2024, 4, 1), actual, forecast_days("adverts", [10.0] * 51, 1.0), no_errors()
    )
    assert april is not None
    assert (april.so_far, april.expected, april.last_year, april.change) == (0.0, 300.0, None, None)


@pytest.mark.parametrize(
    ("month", "known", "ahead"),
    [
        (MARCH, 10, 20),  # the forecast ends on the 30th
        (MARCH, 9, 35),  # a day between them is missing
        (date(2024, 4, 1), 10, 50),
        (date(2024, 2, 1), 10, 35),  # no day of it is to come
    ],
)
def test_no_plan_where_a_day_is_missing(month: date, known: int, ahead: int) -> None:
    actual = actual_days("adverts", MARCH, [7.0] * known)
    forecasts = forecast_days("adverts", [10.0] * ahead, 1.0)
    assert plan_measure("adverts", month, actual, forecasts, no_errors()) is None


def test_a_stock_is_that_of_the_month_s_last_day() -> None:
    actual = pl.concat(
        [
            actual_days("premium_users", date(2023, 3, 1), [float(n) for n in range(31)]),
            actual_days("premium_users", MARCH, [50.0] * 10),
        ]
    )
    forecasts = forecast_days("premium_users", [float(100 + n) for n in range(35)], 5.0)
    plan = plan_measure("premium_users", MARCH, actual, forecasts, no_errors())
    assert plan is not None
    assert (plan.stock, plan.expected, plan.low_90, plan.high_90) == (True, 120.0, 115.0, 125.0)
    assert plan.last_year == 30.0


@pytest.mark.thorough
@pytest.mark.parametrize("together", [0.0, 0.6, 0.95])
def test_intervals_of_sums_hold_however_much_days_err_together(together: float) -> None:
    """Errors are an autoregression: from none to nearly one error for the whole month."""
    rng = np.random.default_rng(7)

    def paths(count: int) -> np.ndarray:
        errors = np.empty((count, 35))
        errors[:, 0] = rng.normal(size=count)
        for at in range(1, 35):
            fresh = rng.normal(size=count) * np.sqrt(1 - together**2)
            errors[:, at] = together * errors[:, at - 1] + fresh
        return errors

    inside = {80: 0, 90: 0}
    actual = actual_days("adverts", MARCH, [0.0] * 10)
    places = [ALL, *(f"{n}" for n in range(7))]
    forecasts = pl.concat([forecast_days("adverts", [100.0] * 35, 1.64, city=city) for city in places])
    origins = pl.concat([error_rows(np.zeros((4, 35)), city=city) for city in places])
    for _ in range(300):
        errors = origins.with_columns(actual=paths(32).ravel())
        plan = plan_measure("adverts", MARCH, actual, forecasts, errors)
        assert plan is not None
        assert plan.ratios == 32
        truth = 2100 + paths(1)[0, :21].sum()
        inside[80] += plan.low_80 <= truth <= plan.high_80
        inside[90] += plan.low_90 <= truth <= plan.high_90
        assert plan.low_90 <= plan.low_80 <= plan.expected <= plan.high_80 <= plan.high_90
    assert inside[80] / 300 == pytest.approx(0.81, abs=0.06)
    assert inside[90] / 300 == pytest.approx(0.91, abs=0.05)


def test_errors_of_other_days_ahead_or_cut_short_say_nothing() -> None:
    actual = actual_days("adverts", MARCH, [7.0] * 10)
    forecasts = forecast_days("adverts", [10.0] * 35, 1.0)
    short = error_rows(np.ones((40, 20)))  # days ahead 1 to 20, the sum has 21
    assert plan_measure("adverts", MARCH, actual, forecasts, short).ratios == 0  # type: ignore[union-attr]
    whole = error_rows(np.ones((40, 21)))
    plan = plan_measure("adverts", MARCH, actual, forecasts, whole)
    assert plan is not None
    assert plan.ratios == 40
    assert plan.high_90 - plan.expected == pytest.approx(21.0)  # every sum was off by its whole half width


def test_what_is_known_is_not_taken_back() -> None:
    actual = actual_days("adverts", MARCH, [7.0] * 10)
    forecasts = forecast_days("adverts", [0.1] * 35, 5.0)
    plan = plan_measure("adverts", MARCH, actual, forecasts, error_rows(np.full((40, 21), 5.0)))
    assert plan is not None
    assert plan.low_90 == plan.low_80 == 70.0


def test_months_beyond_the_days_come_from_the_forecast_by_months() -> None:
    row = {**KEYS, "origin": MARCH, "mean": 900.0, "low_80": 800.0, "high_80": 1000.0, "low_90": 750.0,
           "high_90": 1050.0}  # fmt: skip
    monthly = pl.DataFrame([{**row, "day": date(2024, 3, 1)}, {**row, "day": date(2024, 8, 1)}])
    actual = actual_days("adverts", date(2023, 8, 1), [3.0] * 31)
    plan = plan_by_months("adverts", date(2024, 8, 1), actual, monthly)
    assert plan == Planned("adverts", False, 0.0, 900.0, 800.0, 1000.0, 750.0, 1050.0, 93.0, 0)
    assert plan_by_months("adverts", date(2024, 9, 1), actual, monthly) is None
