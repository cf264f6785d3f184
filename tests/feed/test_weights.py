"""Weights from surveys: against statsmodels, against known ones, and when the settings' hold."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from pozytywka_spark.feed.weights import SETTINGS, SURVEYS, weights_of, within_person
from pozytywka_spark.names import HEADS

KNOWN = np.array([0.8, -0.6, 1.2, 0.4])  # points of an answer
CHOSEN = {"finish": 1.0, "skip": -1.0, "like": 2.0, "again": 1.0}


def _answers(seed: int, people: int, each: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """People of different kindness, who also like more the kinder they are: not within person, a bias."""
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(people), each)
    kind = rng.normal(0, 1, people)[user]
    done = rng.random((len(user), 4)) < np.column_stack(
        [np.full(len(user), 0.6), np.full(len(user), 0.3), 0.3 / (1 + np.exp(-kind)), np.full(len(user), 0.2)]
    )
    own = rng.normal(0, 0.3, (people, 4))[user]  # what a deed says differs by person
    exact = 3 + 0.5 * kind + (done * (KNOWN + own)).sum(axis=1) + rng.normal(0, 0.7, len(user))
    return user, exact, done


def test_slopes_and_covariance_are_those_of_statsmodels() -> None:
    user, answer, done = _answers(1, people=40, each=7)
    slopes, covariance, groups = within_person(user, answer, done.astype(float))
    means = np.stack([[values[user == who].mean(axis=0) for who in user] for values in [done.astype(float)]])[
        0
    ]
    own = np.array([answer[user == who].mean() for who in user])
    fitted = sm.OLS(answer - own, done - means).fit(cov_type="cluster", cov_kwds={"groups": user})
    np.testing.assert_allclose(slopes, fitted.params, rtol=1e-9)
    np.testing.assert_allclose(covariance, fitted.cov_params(), rtol=1e-9)
    assert groups == 40


def test_known_weights_come_back_and_intervals_cover() -> None:
    covered, near = np.zeros(3), np.zeros(3)
    for seed in range(50):
        user, exact, done = _answers(seed, people=800, each=5)
        got = weights_of(user, exact, done, CHOSEN, 500, 100).weights
        known = KNOWN[1:] / KNOWN[0]
        covered += [one.low <= truth <= one.high for one, truth in zip(got[1:], known, strict=True)]
        near += [abs(one.weight / truth - 1) < 0.2 for one, truth in zip(got[1:], known, strict=True)]
    assert (covered >= 45).all(), covered
    assert (near >= 45).all(), near


@pytest.mark.parametrize(("people", "each"), [(99, 10), (124, 4)])
def test_too_few_answers_or_people_leave_the_settings(people: int, each: int) -> None:
    user, exact, done = _answers(2, people, each)
    got = weights_of(user, exact, done, CHOSEN, 500, 100)
    assert [(one.head, one.weight, one.low, one.high, one.source) for one in got.weights] == [
        (head, CHOSEN[head], CHOSEN[head], CHOSEN[head], SETTINGS) for head in HEADS
    ]
    assert got.why.startswith(f"the settings' weights: {people * each} answers of {people} people")


def test_a_deed_that_nobody_does_keeps_the_settings_weight() -> None:
    user, exact, done = _answers(3, 300, 5)
    done[:, 2] = False
    got = weights_of(user, exact, done, CHOSEN | {"finish": 2.0}, 500, 100)
    assert [one.source for one in got.weights] == [SURVEYS, SURVEYS, SETTINGS, SURVEYS]
    assert got.weights[2].weight == 1.0  # 2 beside a finish of 2
    assert "like" in got.why


def test_skips_that_are_all_that_is_not_finished_tell_nothing_more() -> None:
    user, exact, done = _answers(4, 300, 5)
    done[:, 1] = ~done[:, 0]
    got = weights_of(user, exact, done, CHOSEN, 500, 100)
    assert [one.source for one in got.weights] == [SURVEYS, SETTINGS, SURVEYS, SURVEYS]


def test_answers_at_random_leave_the_settings() -> None:
    user, exact, done = _answers(5, 300, 5)
    got = weights_of(user, np.random.default_rng(1).permutation(exact), done, CHOSEN, 500, 100)
    assert {one.source for one in got.weights} == {SETTINGS}
    assert "beyond doubt" in got.why
