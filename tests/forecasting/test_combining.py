"""Weights, origins of a backtest, widths of intervals: table literals and properties."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pozytywka_spark.forecasting.backtest import Proposals, origins_of
from pozytywka_spark.forecasting.combine import (
    AHEAD_OF_OTHERS,
    OWN_POWER,
    POOLED_POWER,
    combined_at,
    losses_at,
    pooled,
    weights_at,
)
from pozytywka_spark.forecasting.intervals import LEVELS, p_value, widths_of
from pozytywka_spark.forecasting.models.growth import Growth
from pozytywka_spark.forecasting.past import Past

NAN = np.nan


def proposals(**means: list[list[float]]) -> Proposals:
    """Two origins, two steps each, ten steps seen at the forecast's; what came is 0 throughout."""
    actual = np.array([[0.0, 0.0], [0.0, 0.0], [NAN, NAN]])
    made = Proposals((6, 8, 10), np.ones(3), np.zeros(3), actual)
    made.means.update({name: np.array(rows) for name, rows in means.items()})
    return made


def weighed(made: Proposals, row: int, *others: dict[str, float]) -> dict[str, float]:
    losses = losses_at(made, row)
    return weights_at(made, row, losses, pooled([losses, *others]))


def test_half_the_error_weighs_more_and_worse_than_naive_is_out() -> None:
    made = proposals(
        seasonal_naive=[[2, 2], [2, 2], [2, 2]],
        half=[[1, -1], [1, -1], [5, 5]],
        worse=[[3, 3], [3, 3], [9, 9]],
    )
    assert losses_at(made, 2) == {"seasonal_naive": 1.0, "half": 0.5, "worse": 1.5}
    more = 2**OWN_POWER
    weights = weighed(made, 2)
    assert weights == pytest.approx({"seasonal_naive": 1 / (1 + more), "half": more / (1 + more)})
    assert combined_at(made, 2, weights) == pytest.approx([5 - 3 / (1 + more)] * 2)


def test_a_model_that_is_told_more_has_odds_ahead_of_its_errors() -> None:
    same = [[1, -1], [1, -1], [1, 1]]
    made = proposals(seasonal_naive=[[2, 2]] * 3, ets=same, cohorts=same)
    weights = weighed(made, 2)
    assert weights["cohorts"] / weights["ets"] == pytest.approx(AHEAD_OF_OTHERS["cohorts"])
    worse = proposals(seasonal_naive=[[2, 2]] * 3, cohorts=[[3, 3]] * 3)
    assert set(weighed(worse, 2)) == {"seasonal_naive"}, "no odds keep what is worse than naive"


def test_sparse_series_are_judged_by_squares_or_nothing_would_be_best() -> None:
    actual = np.array([[0.0, 0.0], [0.0, 8.0], [NAN, NAN]])
    made = Proposals((6, 8, 10), np.ones(3), np.zeros(3), actual)
    made.means.update(
        seasonal_naive=np.array([[0.0, 8.0], [0.0, 0.0], [0.0, 8.0]]),
        nothing=np.zeros((3, 2)),
        mean=np.full((3, 2), 2.0),
    )
    assert losses_at(made, 2) == pytest.approx(
        {"seasonal_naive": 1, "nothing": np.sqrt(1 / 2), "mean": np.sqrt(48 / 128)}
    )
    # absolute errors of 8, 0, 8, 16 beside 8, 8, 8, 16 and 6, 6, 6, 14
    usual = replace(made, actual=actual + 8)
    assert losses_at(usual, 2) == pytest.approx({"seasonal_naive": 1, "nothing": 40 / 32, "mean": 32 / 32})


def test_a_season_beside_one_of_nearly_nothing_grows_four_times_at_most() -> None:
    values = np.array([1e-3] * 12 + [20.0, 20.0])
    past = Past(values, np.ones(14, bool), np.arange(17), np.empty((17, 0)), (7,), 3)
    assert Growth().ahead(None, past) == pytest.approx([4e-3] * 3)
    calm = replace(past, values=np.array([10.0] * 7 + [20.0] * 7))
    assert Growth().ahead(None, calm) == pytest.approx([40.0] * 3)


def test_series_like_it_have_a_say() -> None:
    naive, same = [[2, 2]] * 3, [[2, -2], [2, -2], [2, 2]]
    made = proposals(seasonal_naive=naive, a=same, b=same)
    weights = weighed(made, 2, {"seasonal_naive": 1.0, "a": 0.5})
    assert weights["b"] == weights["seasonal_naive"]
    # the geometric mean of its own loss of 1 and the other's of a half, drawn to 1 by half as there are two
    assert weights["a"] / weights["b"] == pytest.approx(0.5 ** (-POOLED_POWER / 4))


def test_an_origin_is_weighed_by_what_was_known_then() -> None:
    made = proposals(seasonal_naive=[[2, 2], [2, 2], [2, 2]], late=[[3, 3], [0.1, 0.1], [1, 1]])
    assert weighed(made, 0) == {"median": 1.0}
    assert combined_at(made, 0, {"median": 1.0}).tolist() == [2.5, 2.5]
    assert weighed(made, 1) == {"seasonal_naive": 1.0}
    assert set(weighed(made, 2)) == {"seasonal_naive", "late"}


def test_a_model_is_compared_where_it_spoke_and_has_no_say_where_it_never_was_tried() -> None:
    made = proposals(
        seasonal_naive=[[1, 1], [4, 4], [2, 2]],
        sometimes=[[NAN, NAN], [3, 3], [1, 1]],
        untried=[[NAN, NAN], [NAN, NAN], [7, 7]],
    )
    assert set(weighed(made, 2)) == {"seasonal_naive", "sometimes"}


@pytest.mark.parametrize(
    ("length", "horizon", "season", "expected"),
    [
        (730, 35, 7, (590, 625, 660, 695)),
        (117, 12, 52, (69, 81, 93, 105)),
        (60, 12, 52, (53,)),
        (30, 28, 7, (17, 19, 21, 23)),
        (4, 7, 7, (2, 3)),
        (1, 7, 7, ()),
    ],
)
def test_origins(length: int, horizon: int, season: int, expected: tuple[int, ...]) -> None:
    assert origins_of(length, horizon, season, 4) == expected


@pytest.mark.thorough
@given(st.integers(1, 900), st.integers(1, 60), st.integers(1, 60), st.integers(1, 8))
def test_origins_lie_within_and_apart(length: int, horizon: int, season: int, wanted: int) -> None:
    origins = origins_of(length, horizon, season, wanted)
    assert list(origins) == sorted(set(origins))
    assert len(origins) <= wanted
    assert all(2 <= origin < length for origin in origins)


def test_widths_grow_as_errors_do_and_hold_the_share_of_them() -> None:
    draws = np.random.default_rng(0).normal(0, 1, (200, 4, 10)) * np.sqrt(np.arange(1, 11))
    widths = widths_of(list(np.abs(draws)), 10)
    assert (np.diff(widths[0][90]) >= 0).all()
    assert widths[0][90][-1] / widths[0][90][0] == pytest.approx(np.sqrt(10), rel=0.3)
    fresh = np.abs(np.random.default_rng(1).normal(0, 1, (200, 10)) * np.sqrt(np.arange(1, 11)))
    for level in LEVELS:
        held = np.mean([error <= width[level] for error, width in zip(fresh, widths, strict=True)])
        assert held == pytest.approx(level / 100, abs=0.03)


def test_a_loud_series_is_wider_than_a_quiet_one() -> None:
    draws = np.abs(np.random.default_rng(0).normal(0, 1, (20, 4, 5)))
    draws[0] *= 10
    widths = widths_of(list(draws), 5)
    assert widths[0][90].mean() > 4 * widths[1][90].mean()


def test_who_never_erred_has_no_width_and_narrows_nobody_elses() -> None:
    draws = list(np.abs(np.random.default_rng(0).normal(0, 1, (5, 4, 6))))
    alone = widths_of(draws, 6)
    among = widths_of([np.zeros((4, 6)), *draws, *[np.zeros((4, 6))] * 50], 6)
    assert among[0][90].tolist() == [0] * 6
    assert [width[90].tolist() for width in among[1:6]] == [width[90].tolist() for width in alone]


def test_a_series_without_errors_takes_the_pools() -> None:
    draws = list(np.abs(np.random.default_rng(0).normal(0, 1, (5, 4, 6))))
    widths = widths_of([*draws, np.empty((0, 6))], 6)
    assert widths[5][90].mean() == pytest.approx(np.mean([width[90].mean() for width in widths[:5]]), rel=0.3)


@pytest.mark.thorough
@given(
    st.lists(
        arrays(np.float64, (3, 4), elements=st.one_of(st.just(NAN), st.just(0.0), st.floats(0, 1e6))),
        max_size=4,
    )
)
def test_widths_are_nested_finite_and_never_fall(errors: list[np.ndarray]) -> None:
    for width in widths_of(errors, 4):
        assert np.isfinite(width[90]).all()
        assert (width[80] <= width[90]).all()
        assert (width[80] >= 0).all()
        assert (np.diff(width[90]) >= -1e-9 * width[90].max()).all()


def test_p_of_a_bound_is_what_lies_beyond_it() -> None:
    p = p_value(
        np.full(4, 10.0),
        half_80=np.full(4, 1.28),
        half_90=np.full(4, 1.645),
        actual=np.array([10, 11.28, 8.355, 17]),
    )
    assert p[:3] == pytest.approx([1.0, 0.2, 0.1])
    assert p[3] < 1e-4
