"""Rankings judged batch by batch are those judged at once; slices, intervals, baselines are what they say."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import sparse, stats

from pozytywka_spark.feed.evaluation.als import fit_als
from pozytywka_spark.feed.evaluation.judge import ALL, HEAVY, LIGHT, NEWCOMERS, Judged, Sums, Tally, judge
from pozytywka_spark.feed.evaluation.rankings import (
    ALS,
    HALF_LIFE_DAYS,
    LATELY,
    LINEAR,
    OWN,
    POPULAR,
    Known,
    baselines,
    ranked,
)
from pozytywka_spark.feed.item_model import fit, weighted_plays
from pozytywka_spark.feed.listening import DAY_US
from pozytywka_spark.feed.outcomes import outcomes_of
from tests.feed.made_listening import drawn

USERS, TRACKS, CUT_OFF = 12, 15, 60 * DAY_US
WEIGHTS = np.array([1.0, -1.0, 2.0, 1.0])


def judged_of(first: int, last: int, seed: int = 0) -> Judged:
    listening, _ = drawn(seed)
    some = listening.of_users(first, last)
    return Judged(
        users=last - first,
        artist=np.arange(TRACKS) // 2,
        past=some.between(None, CUT_OFF),
        outcomes=outcomes_of(some, CUT_OFF, 28, TRACKS),
        weights=WEIGHTS,
        released=np.ones(TRACKS, dtype=bool),
    )


def ranking(users: int) -> np.ndarray:
    return np.random.default_rng(1).permuted(np.tile(np.arange(TRACKS), (users, 1)), axis=1)


@pytest.mark.thorough
def test_batches_add_up_to_the_whole() -> None:
    order = ranking(USERS)
    whole = judge(judged_of(0, USERS), {"mine": order})
    parts = judge(judged_of(0, 5), {"mine": order[:5]}) + judge(judged_of(5, USERS), {"mine": order[5:]})
    assert whole.sums.keys() == parts.sums.keys()
    for key, sums in whole.sums.items():
        assert dataclasses.astuple(sums) == pytest.approx(dataclasses.astuple(parts.sums[key]), abs=1e-12)
    np.testing.assert_array_equal(whole.shown["mine"], parts.shown["mine"])
    assert Tally() + whole == whole


@pytest.mark.thorough
def test_every_user_is_in_one_slice_by_plays_before() -> None:
    slices = judged_of(0, USERS).slices()
    together = slices[NEWCOMERS] * 1 + slices[LIGHT] + slices[HEAVY]
    assert (together == 1).all()
    assert slices[ALL].all()


@pytest.mark.thorough
def test_the_best_order_of_plays_has_an_ndcg_of_one_and_novel_leaves_out_what_was_played() -> None:
    judged = judged_of(0, USERS)
    scores = np.zeros((USERS, TRACKS))
    scores[judged.outcomes.user, judged.outcomes.track] = judged.outcomes.plays > 0
    sums = judge(judged, {"best": ranked(scores, TRACKS)}).sums
    assert sums[("best", "plays_ndcg_10", ALL)].mean == pytest.approx(1.0)
    novel = sums[("best", "novel_plays_ndcg_10", ALL)]
    key = judged.outcomes.user * TRACKS + judged.outcomes.track
    new = ~np.isin(key, judged.played) & (judged.outcomes.plays > 0)
    assert novel.users == len(np.unique(judged.outcomes.user[new]))
    assert novel.mean == pytest.approx(1.0)


@pytest.mark.thorough
def test_worth_is_what_the_weights_make_of_what_was_done_and_never_below_nothing() -> None:
    judged = judged_of(0, USERS)
    gains = judged.gains()["worth"]
    worth = np.maximum(0, judged.outcomes.done @ WEIGHTS)
    assert gains.gain.sum() == pytest.approx(worth.sum())
    assert (gains.gain > 0).all()


@pytest.mark.thorough
def test_tracks_that_are_out_later_are_asked_of_nobody() -> None:
    later = dataclasses.replace(judged_of(0, USERS), released=np.arange(TRACKS) > 0)
    assert (later.gains()["plays"].key % TRACKS > 0).all()


def test_intervals_are_students() -> None:
    values = np.array([0.1, 0.4, np.nan, 0.9, 0.3])
    low, high = stats.t.interval(0.95, 3, np.nanmean(values), stats.sem(values, nan_policy="omit"))
    assert Sums.of(values).interval == pytest.approx((low, high))
    assert Sums.of(values).users == 4
    assert Sums.of(values[:1]).interval == (0.1, 0.1)


@pytest.mark.thorough
def test_baselines_score_by_what_they_are_named_for() -> None:
    listening, table = drawn(0)
    past, before = listening.between(None, CUT_OFF), table[table.us < CUT_OFF]
    age = CUT_OFF - past.play_us
    plays = weighted_plays((USERS, TRACKS), past.play_user, past.play_track, age, HALF_LIFE_DAYS)
    lately = (
        before[before.us >= CUT_OFF - 28 * DAY_US].track.value_counts().reindex(range(TRACKS), fill_value=0)
    )
    ever = before.track.value_counts().reindex(range(TRACKS), fill_value=0)
    released = np.arange(TRACKS) != 1
    linear = fit(plays, ridge=5.0, most_tracks=TRACKS)
    known = Known(ever.to_numpy(), lately.to_numpy(), released, fit_als(plays, factors=3), linear)
    scores = baselines(past, USERS, known, CUT_OFF)
    assert set(scores) == {POPULAR, LATELY, OWN, ALS, LINEAR}
    for each in scores.values():
        assert np.isneginf(each[:, 1]).all()
    shown = released
    np.testing.assert_array_equal(scores[POPULAR][3, shown], ever[shown])
    np.testing.assert_array_equal(scores[LATELY][3, shown], lately[shown])
    own = before[before.user == 3].track.value_counts().reindex(range(TRACKS), fill_value=0)
    np.testing.assert_array_equal(np.floor(scores[OWN][3, shown]), own[shown])
    np.testing.assert_allclose(scores[LINEAR][:, linear.track][:, shown[linear.track]],
                               linear.scores(plays)[:, shown[linear.track]], atol=1e-6)  # fmt: skip


def test_als_minimises_its_loss() -> None:
    """Each user's vector solves the weighted ridge regression that the paper states."""
    plays = sparse.random(20, 9, density=0.4, format="csr", random_state=3)
    fitted = fit_als(plays, factors=4, alpha=5.0, ridge=0.7, rounds=3)
    confidence = 1 + 5.0 * plays.toarray()
    wanted = plays.toarray() > 0
    scores = fitted.scores(plays)
    for user in range(20):
        weighted = confidence[user][:, None] * fitted.track
        left = fitted.track.T @ weighted + 0.7 * np.eye(4)
        vector = np.linalg.solve(left, weighted.T @ wanted[user])
        np.testing.assert_allclose(scores[user], fitted.track @ vector, atol=1e-8)
