"""nDCG equals scikit-learn's; recall, new artists and novel rankings equal plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from pozytywka_spark.feed.evaluation.metrics import Gains, ndcg, new_artists, recall, without_played
from pozytywka_spark.feed.evaluation.rankings import ranked


@pytest.mark.thorough
@given(st.integers(0, 10_000), st.integers(1, 20), st.integers(2, 30))
def test_ndcg_equals_scikit_learns(seed: int, places: int, tracks: int) -> None:
    rng = np.random.default_rng(seed)
    gain = rng.integers(0, 4, (6, tracks)) * (rng.random((6, tracks)) < 0.4)
    scores = rng.permuted(np.tile(np.arange(float(tracks)), (6, 1)), axis=1)
    user, track = np.nonzero(gain)
    gains = Gains.of(6, tracks, user, track, gain[user, track])
    found = ndcg(ranked(scores, places), gains, places)
    for row in range(6):
        if gain[row].any():
            assert found[row] == pytest.approx(ndcg_score([gain[row]], [scores[row]], k=places))
        else:
            assert np.isnan(found[row])


@given(st.integers(0, 10_000))
def test_recall_new_artists_and_novel_rankings_equal_loops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    users, tracks, places = 5, 12, 4
    artist = rng.integers(0, 5, tracks)
    played = rng.random((users, tracks)) < 0.3
    gain = (rng.random((users, tracks)) < 0.3) * 1.0
    ranking = ranked(rng.random((users, tracks)), 8, excluded=rng.random((users, tracks)) < 0.3)
    user, track = np.nonzero(gain)
    gains = Gains.of(users, tracks, user, track, gain[user, track])
    known_user, known_track = np.nonzero(played)
    key = known_user * tracks + known_track
    shares = recall(ranking, gains, places)
    new = new_artists(ranking, artist, known_user, known_track, places)
    novel = without_played(ranking, tracks, key)
    for row in range(users):
        first = [each for each in ranking[row, :places].tolist() if each >= 0]
        wanted = set(np.flatnonzero(gain[row]).tolist())
        assert np.isnan(shares[row]) if not wanted else shares[row] == len(wanted & set(first)) / len(wanted)
        heard = set(artist[played[row]].tolist())
        expected = [artist[each] not in heard for each in first]
        assert np.isnan(new[row]) if not first else new[row] == pytest.approx(np.mean(expected))
        left = [each for each in ranking[row].tolist() if each >= 0 and not played[row, each]]
        assert novel[row].tolist() == left + [-1] * (8 - len(left))


def test_rankings_leave_out_what_is_excluded_and_ties_go_to_the_first() -> None:
    scores = np.array([[1.0, 3.0, 3.0, 2.0], [0.0, -np.inf, 5.0, -np.inf]])
    excluded = np.array([[False, True, False, False], [False, False, False, False]])
    assert ranked(scores, 3).tolist() == [[1, 2, 3], [2, 0, -1]]
    assert ranked(scores, 3, excluded).tolist() == [[2, 3, 0], [2, 0, -1]]
    assert ranked(scores, 9).tolist() == [[1, 2, 3, 0], [2, 0, -1, -1]]
