"""What was done after a cut-off, against pandas."""

from __future__ import annotations

import numpy as np
import pytest

from pozytywka_spark.feed.listening import DAY_US
from pozytywka_spark.feed.outcomes import outcomes_of
from tests.feed.made_listening import drawn

TRACKS = 15


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(5))
def test_outcomes_equal_pandas(seed: int) -> None:
    listening, table = drawn(seed)
    cut_off = 30 * DAY_US
    after = table[(table.us >= cut_off) & (table.us < cut_off + 28 * DAY_US)]
    expected = after.groupby(["user", "track"]).agg(
        finish=("skipped", lambda each: not each.all()),
        skip=("skipped", "any"),
        like=("liked", "any"),
        plays=("us", "size"),
    )
    expected["again"] = expected.plays > 1
    found = outcomes_of(listening, cut_off, 28, TRACKS)
    assert [*zip(found.user, found.track, strict=True)] == expected.index.to_list()
    np.testing.assert_array_equal(found.done, expected[["finish", "skip", "like", "again"]].to_numpy(bool))
    np.testing.assert_array_equal(found.plays, expected.plays)


@pytest.mark.thorough
def test_the_days_are_half_open() -> None:
    listening, table = drawn(1, plays=1)
    at = int(table.us[0])
    assert len(outcomes_of(listening, at, 28, TRACKS)) == 1
    assert len(outcomes_of(listening, at + 1, 28, TRACKS)) == 0
    assert len(outcomes_of(listening, at - 28 * DAY_US, 28, TRACKS)) == 0
    assert len(outcomes_of(listening, at - 28 * DAY_US + 1, 28, TRACKS)) == 1


@pytest.mark.thorough
def test_a_like_alone_is_an_outcome_without_plays() -> None:
    listening, table = drawn(2)
    first = table[table.liked].iloc[0]
    found = outcomes_of(listening, int(first.us) + 1, 1, TRACKS)
    assert (found.plays[~found.done[:, 0] & ~found.done[:, 1]] == 0).all()


@pytest.mark.thorough
def test_pairs_are_looked_up_and_unknown_ones_did_nothing() -> None:
    listening, _ = drawn(3)
    found = outcomes_of(listening, 0, 90, TRACKS)
    np.testing.assert_array_equal(found.of(found.user, found.track, TRACKS), found.done)
    assert not found.of(np.array([11, 99]), np.array([TRACKS - 1, 3]), TRACKS)[1].any()
    assert not outcomes_of(listening, 99 * DAY_US, 1, TRACKS).of(np.array([1]), np.array([1]), TRACKS).any()
