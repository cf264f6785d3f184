"""Plays that come back, against plain loops and against their own frequencies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.synthetic.taste.ahead import STAGES, families, past_chances
from pozytywka_spark.synthetic.taste.repeats import REST, copy_chances, lags, walked


@given(st.integers(0, 10_000))
def test_walking_everyone_in_step_equals_one_play_after_another(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = rng.integers(0, 25, 6)
    first, plays = np.cumsum(count) - count, int(count.sum())
    place = np.arange(plays) - np.repeat(first, count)
    lag = np.where(rng.random(plays) < 0.6, lags(place, rng.random(plays)), 0)
    copied = np.where(lag > 0, np.arange(plays) - lag, -1)
    picked, skips, draw = rng.integers(0, 9, plays), rng.random((6, 9)), rng.random(plays)
    track, skipped = walked(first, count, picked, copied, skips, draw)
    expected_track, expected_skip = [], []
    user = np.repeat(np.arange(6), count)
    for play in range(plays):
        source = int(copied[play])
        mine = expected_track[source] if source >= 0 and not expected_skip[source] else int(picked[play])
        expected_track.append(mine)
        expected_skip.append(bool(draw[play] < skips[user[play], mine]))
    assert track.tolist() == expected_track
    assert skipped.tolist() == expected_skip


@given(st.integers(0, 200), st.floats(0, 1, exclude_max=True))
def test_a_copy_is_of_an_earlier_play_that_had_its_rest(place: int, draw: float) -> None:
    lag = int(lags(np.array([place]), np.array([draw]))[0])
    assert lag == 0 if place <= REST else REST < lag <= place


@pytest.mark.parametrize("place", [REST + 1, 20, 60])
def test_the_chances_of_copies_are_their_frequencies(place: int) -> None:
    draws = (np.arange(100_000) + 0.5) / 100_000
    lag = lags(np.full(len(draws), place), draws)
    frequency = np.bincount(place - lag, minlength=place) / len(draws)
    np.testing.assert_allclose(copy_chances(place, place), frequency, atol=2e-5)
    assert copy_chances(place, place).sum() == pytest.approx(1.0)


def test_every_play_ahead_belongs_to_one_family() -> None:
    rng = np.random.default_rng(1)
    plays = rng.integers(0, 60, 40)
    chance, far = past_chances(rng.random(30) < 0.3)
    np.testing.assert_allclose(chance.sum(axis=1), 1.0)
    future = families(rng, plays, np.full(40, 1 / 40), 30, 0.5, far, 0.3)
    capped = np.concatenate([future.anew, future.past], axis=1).sum(axis=1)
    sizes = np.tile(np.arange(1, 9), 1 + len(STAGES))
    members = np.concatenate([future.anew, future.past], axis=1) @ sizes
    assert (members <= plays).all()
    assert (members[capped > 0] > 0).all()
    nothing_back = families(rng, plays, np.full(40, 1 / 40), 0, 0.0, far, 0.3)
    np.testing.assert_array_equal(nothing_back.anew[:, 0], plays)
    assert not nothing_back.past.any()
