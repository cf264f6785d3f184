"""The test that takes a side live: valid however often it is asked, and what that costs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pozytywka_spark.config import load_settings
from pozytywka_spark.factory.proof.fresh import fewest_at_any_time, is_proven, log_evidence, low_at_any_time
from pozytywka_spark.factory.tally import Tally
from pozytywka_spark.factory.watch import judged_fresh

LIMIT, ALPHA = 0.01, 0.05
SIDES, LOOKS, CASES = 2000, 50, 100  # each look has so many fresh cases more than the one before


def wrong_at_looks(share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each side wrong ones after each look, and how many were tested by then."""
    rng = np.random.default_rng(seed)
    return rng.binomial(CASES, share, (SIDES, LOOKS)).cumsum(axis=1), CASES * np.arange(1, LOOKS + 1)


def proven(wrong: np.ndarray, tested: np.ndarray) -> np.ndarray:
    most = [max((k for k in range(80) if is_proven(k, int(n), LIMIT, ALPHA)), default=-1) for n in tested]
    return wrong <= np.array(most)


@pytest.mark.parametrize("seed", [1, 2])
def test_asked_fifty_times_a_side_at_the_limit_goes_live_in_five_percent_at_most(seed: int) -> None:
    wrong, tested = wrong_at_looks(LIMIT, seed)
    ever = proven(wrong, tested).any(axis=1).mean()
    # of sides that are promoted at 5%, a simulation of so many shows more than this once in a thousand
    assert ever <= stats.binom.ppf(0.999, SIDES, ALPHA) / SIDES
    plain = (stats.binom.cdf(wrong, tested, LIMIT) <= ALPHA).any(axis=1).mean()
    assert plain > 0.15  # what asking again and again made of the test at one look


@pytest.mark.parametrize(("share", "by", "least"), [(0.0, 400, 1.0), (0.002, 1300, 0.9), (0.005, 5000, 0.8)])
def test_good_sides_go_live(share: float, by: int, least: float) -> None:
    wrong, tested = wrong_at_looks(share, 3)
    assert proven(wrong, tested)[:, tested <= by].any(axis=1).mean() >= least


def test_promote_asks_this_test() -> None:
    settings = load_settings("local", [])
    for right, proven_again in ((352, False), (353, True)):
        found = judged_fresh(settings, Tally(right, 0, 1.0, None, 0))
        assert (found.tested, found.proven, found.low >= 0.99) == (right, proven_again, proven_again)
    assert not judged_fresh(settings, None).proven


def test_353_without_an_error_prove_it() -> None:
    assert fewest_at_any_time(LIMIT, ALPHA) == 353
    assert [is_proven(0, count, LIMIT, ALPHA) for count in (352, 353)] == [False, True]


@given(st.integers(0, 60), st.integers(0, 5000))
def test_the_bound_is_what_is_just_refuted(wrong: int, right: int) -> None:
    low = low_at_any_time(wrong, wrong + right, ALPHA)
    assert 0.0 <= low < 1.0
    assert (low >= 1 - LIMIT) == is_proven(wrong, wrong + right, LIMIT, ALPHA)
    assert low <= 1 - stats.beta.ppf(0.95, wrong + 1, right) + 1e-9 if right else low == 0.0


@given(st.integers(1, 300), st.floats(0.01, 0.5))
def test_a_bet_on_sides_no_better_than_the_limit_wins_nothing_on_average(tested: int, limit: float) -> None:
    chances = stats.binom.pmf(np.arange(tested + 1), tested, limit)
    won = [np.exp(log_evidence(wrong, tested, limit)) for wrong in range(tested + 1)]
    assert float(np.dot(chances, won)) == pytest.approx(1.0, abs=1e-6)
