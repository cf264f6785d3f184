"""A bucket of series: no leak, odd series, what fails."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from pozytywka_spark.forecasting import one_bucket
from pozytywka_spark.forecasting.models.naive import SeasonalNaive
from pozytywka_spark.forecasting.one_bucket import forecast_bucket
from pozytywka_spark.forecasting.past import Past, Values
from pozytywka_spark.forecasting.spec import Spec
from tests.forecasting.frames import FIRST, daily, weekly_rhythm

SPEC = Spec(horizon=14, origins=3, history=200)
DAYS = 140
BOUNDS = ("low_90", "low_80", "mean", "high_80", "high_90")


def origin(days: int) -> str:
    return f"{FIRST + timedelta(days)}"


def two_series() -> dict[str, np.ndarray]:
    counts = np.random.default_rng(1).poisson(0.4, DAYS).astype(float)
    return {"plays": weekly_rhythm(DAYS), "rare": counts}


@pytest.mark.thorough
def test_what_comes_after_an_origin_changes_no_bit_of_its_forecasts() -> None:
    seen = 110
    as_it_was = daily(two_series())
    spec = replace(SPEC, origin=origin(seen), origins=2)
    before = forecast_bucket(as_it_was, spec)
    others = {
        "deleted": as_it_was.filter(pl.col("day") < FIRST + timedelta(seen)),
        "scrambled": as_it_was.with_columns(
            value=pl.when(pl.col("day") < FIRST + timedelta(seen))
            .then("value")
            .otherwise(pl.col("value").reverse().over("series"))
        ),
        "ten times": as_it_was.with_columns(
            value=pl.col("value") * pl.when(pl.col("day") < FIRST + timedelta(seen)).then(1).otherwise(10)
        ),
    }
    for after, changed in others.items():
        now = forecast_bucket(changed, spec)
        assert before.forecasts.equals(now.forecasts), after
        assert before.errors.equals(now.errors), after


@pytest.mark.thorough
def test_origins_of_the_backtest_see_nothing_of_what_came_after_them_either() -> None:
    whole = two_series()
    later = {
        name: np.where(np.arange(DAYS) < DAYS - 14, values, 3 * values) for name, values in whole.items()
    }
    before, now = (forecast_bucket(daily(series), SPEC).errors for series in (whole, later))
    at = ["series", "model", "origin", "ahead"]
    both = before.join(now, on=at, suffix="_now")
    assert both.height == before.height == now.height
    assert both["mean"].equals(both["mean_now"])
    assert set(before["model"]) >= {"combined", "seasonal_naive", "ets", "arima", "theta", "mstl", "trees"}


@pytest.mark.thorough
def test_a_series_forecast_is_near_its_profile_and_its_intervals_are_nested() -> None:
    made = forecast_bucket(daily({"plays": weekly_rhythm(DAYS, noise=0.02)}), SPEC)
    expected = weekly_rhythm(DAYS + 14, noise=0.0)[DAYS:]
    assert made.forecasts["mean"].to_numpy() == pytest.approx(expected, rel=0.03)
    for lower, higher in itertools.pairwise(BOUNDS):
        assert (made.forecasts[lower] < made.forecasts[higher]).all()
    assert made.forecasts["time"].to_list() == [FIRST + timedelta(DAYS + at) for at in range(14)]
    assert sum(pair["value"] for pair in made.forecasts["weights"][0]) == pytest.approx(1)


ODD = {
    "constant": [5.0] * 60,
    "all zero": [0.0] * 60,
    "mostly zero": [0.0, 0, 0, 1, 0, 0, 2, 0, 0, 0] * 6,
    "negative": list(-weekly_rhythm(60)),
    "huge": list(weekly_rhythm(60) * 1e200),
    "tiny": list(weekly_rhythm(60) * 1e-200),
    "stepped": [10.0] * 30 + [90.0] * 30,
    "gapped": [value if at % 9 else None for at, value in enumerate(weekly_rhythm(60))],
    "short": [3.0, 4.0, 5.0],
    "a point": [7.0],
    "began late": [0.0] * 40 + list(weekly_rhythm(20)),
    "nulls at the end": [*weekly_rhythm(60), None, None],
    "ended early": list(weekly_rhythm(25)),
    "null throughout": [None] * 30,
    "not a number": [*weekly_rhythm(30), float("nan")],
}


@pytest.mark.thorough
def test_every_odd_series_is_forecast() -> None:
    made = forecast_bucket(daily(ODD), replace(SPEC, origins=1)).forecasts
    assert made.group_by("series").len().sort("series").rows() == [(name, 14) for name in sorted(ODD)]
    numbers = made.select(BOUNDS)
    assert numbers.null_count().sum_horizontal().item() == 0
    assert np.isfinite(numbers.to_numpy()).all()
    for lower, higher in itertools.pairwise(BOUNDS):
        assert (made[lower] <= made[higher]).all()
    assert (made.filter(pl.col("series") != "negative").select(BOUNDS).to_numpy() >= 0).all()


@pytest.mark.parametrize(
    ("name", "mean", "weights"),
    [
        ("constant", 5.0, {"seasonal_naive", "last_value"}),
        ("all zero", 0.0, {"seasonal_naive", "last_value"}),
        ("a point", 7.0, {"median"}),
        ("null throughout", 0.0, {"no_value"}),
    ],
)
def test_the_fallback_is_stated(name: str, mean: float, weights: set[str]) -> None:
    made = forecast_bucket(daily({name: ODD[name]}), SPEC).forecasts
    assert set(made["mean"]) == {mean}
    if name in ("constant", "all zero"):
        assert made["low_90"].equals(made["high_90"])
    assert {pair["key"] for pair in made["weights"][0]} == weights


@pytest.mark.thorough
def test_a_count_model_has_a_say_in_counts_full_of_zeros() -> None:
    counts = np.random.default_rng(3).poisson(0.3, 200).astype(float)
    made = forecast_bucket(daily({"rare": counts}), SPEC)
    assert "counts" in set(made.errors["model"])
    assert made.forecasts["mean"].mean() == pytest.approx(0.3, abs=0.15)
    without = forecast_bucket(daily({"rare": counts}), replace(SPEC, count=False))
    assert "counts" not in set(without.errors["model"])


@pytest.mark.thorough
def test_series_that_end_apart_are_forecast_from_their_own_end_or_from_the_origin() -> None:
    frame = daily({"early": weekly_rhythm(60), "late": weekly_rhythm(80)})
    own = forecast_bucket(frame, SPEC).forecasts
    begin = own.group_by("series").agg(pl.col("time").min()).sort("series")
    assert begin["time"].to_list() == [FIRST + timedelta(60), FIRST + timedelta(80)]
    common = forecast_bucket(frame, replace(SPEC, origin=origin(80))).forecasts
    assert set(common.filter(pl.col("ahead") == 1)["time"]) == {FIRST + timedelta(80)}
    assert common.filter(pl.col("series") == "early")["mean"].to_numpy() == pytest.approx(
        weekly_rhythm(94, noise=0)[80:], rel=0.2
    )


class _Fails(SeasonalNaive):
    def ahead(self, begun: None, past: Past) -> Values:
        raise ArithmeticError("of its own kind")


class _Hangs(SeasonalNaive):
    def ahead(self, begun: None, past: Past) -> Values:
        time.sleep(30)
        return super().ahead(begun, past)


class _Works(SeasonalNaive):
    def ahead(self, begun: None, past: Past) -> Values:
        begun_at = time.process_time()
        while time.process_time() < begun_at + 5:
            pass
        return super().ahead(begun, past)


class _Waits(SeasonalNaive):
    """On a busy machine: longer than it may work, and hardly any work."""

    def ahead(self, begun: None, past: Past) -> Values:
        time.sleep(0.06)
        return super().ahead(begun, past)


class _StandsBack(SeasonalNaive):
    """Until what came later doesn't suit it."""

    def ahead(self, begun: None, past: Past) -> Values:
        return super().ahead(begun, past) * (np.nan if len(past.values) == 60 else 1.0)


class _SaysNothing(SeasonalNaive):
    def ahead(self, begun: None, past: Past) -> Values:
        return np.full(past.horizon, np.inf)


def test_a_model_that_fails_hangs_or_says_no_number_costs_itself_and_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = {
        "seasonal_naive": SeasonalNaive(), "fails": _Fails(), "hangs": _Hangs(), "inf": _SaysNothing(),
        "works": _Works(), "waits": _Waits(), "stands_back": _StandsBack(),
    }  # fmt: skip
    monkeypatch.setattr(one_bucket, "models_of", lambda _: models)
    spec = replace(SPEC, model_seconds=0.05, models=())
    made = forecast_bucket(daily({"plays": weekly_rhythm(60)}), spec)
    assert made.failures.rows() == [
        ("plays", "fails", "ArithmeticError: of its own kind"),
        ("plays", "hangs", "TimeoutError: took over 0.05 s"),
        ("plays", "inf", "its means aren't numbers"),
        ("plays", "works", "TimeoutError: took over 0.05 s"),
    ]
    assert set(made.errors["model"]) == {"combined", "seasonal_naive", "stands_back", "waits"}
    assert made.forecasts["mean"].to_list() == list(weekly_rhythm(60)[-7:]) * 2


@pytest.mark.thorough
def test_known_columns_move_what_they_moved_before() -> None:
    days = 300
    promoted = np.random.default_rng(5).random(days + 14) < 0.15
    promoted[days + 3] = True
    values = weekly_rhythm(days, noise=0.02) * np.where(promoted[:days], 1.5, 1.0)
    known = pl.DataFrame(
        {"day": [FIRST + timedelta(at) for at in range(days + 14)], "promoted": promoted.astype(float)}
    )
    made = forecast_bucket(daily({"plays": values}), replace(SPEC, history=None, known=known))
    truth = weekly_rhythm(days + 14, noise=0)[days:] * np.where(promoted[days:], 1.5, 1.0)
    assert made.forecasts["mean"].to_numpy() == pytest.approx(truth, rel=0.12)


@pytest.mark.thorough
def test_a_yearly_wave_is_followed_before_it_came_round_twice() -> None:
    at = np.arange(440)
    wave = 1 + 0.3 * np.sin(2 * np.pi * at / 365)
    values = weekly_rhythm(440, noise=0.03) * wave
    made = forecast_bucket(daily({"plays": values[:400]}), Spec(horizon=35))
    errors = np.abs(made.forecasts["mean"].to_numpy() - values[400:435])
    naive = np.abs(np.resize(values[393:400], 35) - values[400:435])
    assert errors.mean() < 0.7 * naive.mean()


def test_months_and_hours_go_by_their_own_steps() -> None:
    months = pl.DataFrame(
        {
            "series": ["a"] * 30,
            "day": pl.date_range(date(2021, 1, 1), date(2023, 6, 1), "1mo", eager=True),
            "value": np.arange(30) + 10.0,
        }
    )
    made = forecast_bucket(months, Spec(3, "MS", (12,), origins=2)).forecasts
    assert made["time"].to_list() == [date(2023, 7, 1), date(2023, 8, 1), date(2023, 9, 1)]
    assert made["mean"].is_between(36, 44).all()
