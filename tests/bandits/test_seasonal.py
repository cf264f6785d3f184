"""Seasonal slots: calendar, levels and effects beside plain linear algebra, and what is decided of them."""

from datetime import date, timedelta
from math import isclose

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_spark.bandits.seasonal.almanac import columns_around, days_from_easter, place_in_year
from pozytywka_spark.bandits.seasonal.effects import effects_of, smooth_levels, told_by
from pozytywka_spark.bandits.seasonal.level import START, Read, walk
from pozytywka_spark.bandits.seasonal.series import evened, series_of
from pozytywka_spark.bandits.seasonal.shares import best_shares, bounded, watched
from tests.bandits.made_seasons import days_of, sums_of


def test_the_same_date_has_the_same_place_in_every_year() -> None:
    assert [place_in_year(date(year, 12, 1)) for year in (2023, 2024)] == [334, 334]
    assert place_in_year(date(2024, 2, 29)) == place_in_year(date(2024, 2, 28)) == 58
    assert sorted({place_in_year(day) for day in days_of(date(2023, 1, 1), 365)}) == list(range(365))


def test_days_from_easter_are_those_of_the_nearest_one() -> None:
    given_days = [date(2023, 4, 9), date(2024, 3, 21), date(2025, 4, 24), date(2025, 12, 1)]
    assert [days_from_easter(day) for day in given_days] == [0, -10, 4, -125]


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)))
@settings(max_examples=30, deadline=None)
def test_a_day_and_the_same_date_a_year_before_have_the_same_steps(today: date) -> None:
    """And no day but that one has all of them: its step is a day's own."""
    days = [day for day in days_of(today - timedelta(800), 800) if (day.month, day.day) != (2, 29)]
    columns = columns_around(days, today, 0.02, 0.05)
    year = columns.past.shape[1] - 7 - int(columns.closing[1].sum())
    taken = columns.past[:, :year].sum(axis=1)
    same = np.array([place_in_year(day) == place_in_year(today) for day in days])
    assert columns.today[:year].sum() == year
    assert (taken == year).tolist() == same.tolist()
    assert len(columns.scale) == columns.past.shape[1] == len(columns.today)


def noisy_read(seed: int, days: int, arms: int) -> Read:
    rng = np.random.default_rng(seed)
    precision = rng.gamma(1, 20, (days, arms)) * (rng.random((days, arms)) < 0.6)
    precision[:, 0] = 0.0
    precision[-1, 1] = 5.0
    return Read(rng.normal(-2, 0.5, (days, arms)) * (precision > 0), precision)


def test_what_days_say_of_effects_is_that_of_generalised_least_squares() -> None:
    """Dense covariances of walk and noise, as a textbook has them."""
    days, drift, start = 40, 0.03**2, -2.5
    read = noisy_read(1, days, 4)
    columns = np.random.default_rng(2).normal(size=(days, 3))
    told = told_by(read, columns, drift, start)
    information, moment, square = np.zeros((3, 3)), np.zeros(3), 0.0
    effects = np.array([0.3, -0.2, 0.1])
    for arm in range(4):
        seen = np.flatnonzero(read.precision[:, arm])
        if not len(seen):
            assert (told.own[arm], told.carried[arm].tolist()) == (start, [0.0, 0.0, 0.0])
            continue
        walked = START + drift * (np.minimum.outer(seen, seen) - seen[0])
        inverse = np.linalg.inv(walked + np.diag(1 / read.precision[seen, arm]))
        z, x = read.log_rate[seen, arm] - start, columns[seen]
        information += x.T @ inverse @ x
        moment += x.T @ inverse @ z
        square += z @ inverse @ z
        # the level after the last day, given the effects: conditioning of normal variables
        last = START + drift * (seen - seen[0])
        level = start + last @ inverse @ (z - x @ effects)
        variance = (
            START + drift * (seen[-1] - seen[0]) - last @ inverse @ last + drift * (days - 1 - seen[-1])
        )
        assert isclose(told.own[arm] - told.carried[arm] @ effects, level, rel_tol=1e-9)
        assert isclose(told.variance[arm], variance, rel_tol=1e-9)
    np.testing.assert_allclose(told.information, information, rtol=1e-8)
    np.testing.assert_allclose(told.moment, moment, rtol=1e-8)
    assert isclose(told.square, square, rel_tol=1e-8)


def test_the_walk_is_kalmans_where_steps_are_small() -> None:
    """Rates that never leave what is expected by much, a filter by hand."""
    rng = np.random.default_rng(3)
    rounds = rng.integers(0, 4000, (60, 2)).astype(float)
    reward = rng.binomial(rounds.astype(int), 0.3).astype(float)
    drift = np.array([0.01**2, 0.02**2])
    walked = walk(rounds, reward, np.zeros((60, 1)), drift, np.full(2, np.log(0.3)))
    for arm in range(2):
        level, variance = np.log(0.3), START
        for day in range(60):
            variance += drift[arm]
            rate = np.exp(level)
            information = rounds[day, arm] * rate / (1 - rate)
            if information:
                gain = variance * information / (1 + variance * information)
                level += gain * (reward[day, arm] / (rounds[day, arm] * rate) - 1)
                variance *= 1 - gain
        assert walked.level[arm] == pytest.approx(level, abs=2e-3)
        assert walked.variance[arm] == pytest.approx(variance, rel=1e-2)


def test_levels_seen_from_the_end_go_straight_between_the_days_that_say_something() -> None:
    read = noisy_read(4, 30, 3)
    levels = smooth_levels(read, np.zeros((30, 3)), 0.02**2, -2.0)
    assert (levels[:, 0] == -2.0).all()
    told = told_by(read, np.zeros((30, 0)), 0.02**2, -2.0)
    np.testing.assert_allclose(levels[-1], told.own)
    seen = np.flatnonzero(read.precision[:, 2])
    between = np.setdiff1d(np.arange(seen[0], seen[-1]), seen)
    bends = np.diff(levels[:, 2], 2)[between - 1]
    np.testing.assert_allclose(bends, 0, atol=1e-12)


def test_a_large_step_is_hardly_shrunk_and_small_ones_nearly_vanish() -> None:
    today = date(2024, 12, 1)
    days = days_of(date(2023, 1, 1), 700)
    columns = columns_around(days, today, 0.02, 0.05)
    rises = np.array([0.7 if day.month == 12 else 0.0 for day in days])
    read = Read(np.repeat((rises - 2)[:, None], 3, axis=1), np.full((700, 3), 50.0))
    effects = effects_of(told_by(read, columns.past, 0.01**2, -2.0), columns)[0]
    yesterday = columns.past[-1]
    assert (columns.today - yesterday) @ effects.mean == pytest.approx(0.7, abs=0.12)
    quiet = columns_around(days, date(2024, 11, 20), 0.02, 0.05)
    still = effects_of(told_by(read, quiet.past, 0.01**2, -2.0), quiet)[0]
    before = [day == date(2023, 11, 19) for day in days].index(True)
    assert (quiet.today - quiet.past[before]) @ still.mean == pytest.approx(0.0, abs=0.05)


def test_sums_become_rounds_and_rewards_by_day_group_and_arm() -> None:
    day = date(2024, 5, 1)
    sums = sums_of(
        [
            (day, "a", "x", 100, 0.2, 0.5),
            (day, "b", "y", 40, 0.5, 0.1),
            (day + timedelta(2), "a", "x", 10, 0.4, 0.02),
            (day + timedelta(2), "gone", "x", 10, 0.4, 0.02),
            (day + timedelta(3), "a", "x", 99, 0.9, 0.5),
        ]
    )
    series = series_of(sums, ["b", "a"], day + timedelta(3))
    assert (series.days, series.groups) == (days_of(day, 3), ["x", "y"])
    np.testing.assert_allclose(series.rounds, [[[0, 100], [40, 0]], [[0, 0], [0, 0]], [[0, 10], [0, 0]]])
    np.testing.assert_allclose(series.reward, [[[0, 20], [20, 0]], [[0, 0], [0, 0]], [[0, 4], [0, 0]]])


def test_two_probabilities_on_a_day_are_weighed() -> None:
    day = date(2024, 5, 1)
    one = sums_of([(day, "a", "", 100, 0.2, 0.5), (day, "a", "", 50, 0.5, 0.1)])
    series = series_of(one, ["a"], day + timedelta(1))
    weight, square = 200 + 500, 400 + 5000
    assert series.rounds[0, 0, 0] == pytest.approx(weight**2 / square)
    assert series.reward[0, 0, 0] == pytest.approx(weight**2 / square * (40 + 250) / weight)


def test_groups_are_evened_out() -> None:
    """One group rewards everything three times as much, and is mostly shown the worse arm."""
    day = date(2024, 5, 1)
    rows = [(day, "a", "keen", 900, 0.3, 0.9), (day, "b", "keen", 100, 0.36, 0.1)]
    rows += [(day, "a", "cool", 100, 0.1, 0.1), (day, "b", "cool", 900, 0.12, 0.9)]
    rounds, reward = evened(series_of(sums_of(rows), ["a", "b"], day + timedelta(1)))
    a, b = (reward / rounds)[0]
    assert b / a == pytest.approx(1.2, abs=0.01)


@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=40).filter(lambda values: sum(values) > 0.1),
    st.sampled_from([0.0, 0.001, 0.01]),
    st.sampled_from([0.3, 0.95, 1.0]),
    st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_probabilities_keep_to_floor_and_cap(
    values: list[float], floor: float, cap: float, seed: int
) -> None:
    shares = np.array(values) / sum(values)
    result = bounded(shares, 0.005, floor, cap, np.random.default_rng(seed))
    assert isclose(result.sum(), 1, abs_tol=1e-9)
    assert result.min() >= min(floor, 1 / len(values)) - 1e-9
    assert result.max() <= max(cap, 1 / len(values)) + 1e-9


def test_rare_arms_are_shown_often_enough_to_be_summed_or_not_at_all_and_on_average_as_they_should() -> None:
    shares = np.array([0.9, 0.094, 0.004, 0.002])
    drawn = np.array([bounded(shares, 0.005, 0.0, 1.0, np.random.default_rng(seed)) for seed in range(4000)])
    rare = drawn[:, 2:]
    assert ((rare == 0) | (rare == 0.005)).all()
    np.testing.assert_allclose(drawn.mean(axis=0), shares, atol=3e-4)


def test_of_thousands_of_rare_arms_as_many_are_shown_as_can_be_summed() -> None:
    shares = np.full(3000, 1 / 3000)
    drawn = bounded(shares, 0.005, 0.0, 1.0, np.random.default_rng(1))
    assert drawn[drawn > 0].min() >= 0.005
    assert 120 < np.count_nonzero(drawn) <= 200


def test_a_share_goes_to_the_best_of_each_genre() -> None:
    draws = np.array([[3.0, 1.0, 2.0], [3.0, 2.0, 1.0]])
    genres = [np.array([0]), np.array([1, 2])]
    assert best_shares(draws).tolist() == [1.0, 0.0, 0.0]
    np.testing.assert_allclose(watched(draws, genres, 0.2), [0.9, 0.05, 0.05])
