"""Counts of tracks beside pandas; their sums over users in any split; who is stirred beside a loop."""

from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
import pytest

from pozytywka_spark.feed.item_model import fit, weighted_plays
from pozytywka_spark.feed.latest_likes import stirred
from pozytywka_spark.feed.listening import DAY_US
from pozytywka_spark.feed.tastes import in_sample
from pozytywka_spark.feed.track_side import GRAM_DAYS, UNKNOWN_DAY, Counts, counts_of, tracks_of
from tests.feed.plain_model import CUT_OFF, TRACKS, USERS, ages, made

NAMES = ("plays", "users_28", "finished", "skipped", "liked", "pairs", "again", "city", "firsts")


@pytest.mark.thorough
def test_counts() -> None:
    listeners, catalogue, table = made()
    counts = counts_of(listeners, catalogue, CUT_OFF)
    plays = ages(table)
    first = ~plays.duplicated(["user", "track"])
    late, month = plays[plays.age < 90], plays[plays.age < 28]
    liked = table[table.liked & (table.us < CUT_OFF) & (CUT_OFF - table.us < 90 * DAY_US)]
    pairs = late.groupby(["user", "track"]).size()

    def of_tracks(numbers: object) -> np.ndarray:
        return np.bincount(np.asarray(numbers, dtype=int), minlength=TRACKS)

    assert counts.plays.tolist() == [of_tracks(plays.track[plays.age < d]).tolist() for d in (7, 28, 90)]
    assert (counts.users_28 == of_tracks(month.drop_duplicates(["user", "track"]).track)).all()
    assert (counts.finished == of_tracks(late.track[~late.skipped])).all()
    assert (counts.skipped == of_tracks(late.track[late.skipped])).all()
    assert (counts.liked == of_tracks(liked.track)).all()
    assert (counts.again == of_tracks(pairs[pairs > 1].reset_index().track)).all()
    assert (counts.firsts[1] == of_tracks(plays.track[first])).all()
    assert (counts.firsts[0] == of_tracks(plays.track[first & (plays.age < 28)])).all()
    for city in (0, 1):
        there = month[listeners.city[month.user] == city]
        assert (counts.city[city] == of_tracks(there.track)).all()


@pytest.mark.thorough
@pytest.mark.parametrize("step", [1, 5, USERS])
def test_counts_of_parts_add_up(step: int) -> None:
    listeners, catalogue, _ = made(2)
    whole = counts_of(listeners, catalogue, CUT_OFF)
    parts = [listeners.some(first, min(first + step, USERS)) for first in range(0, USERS, step)]
    summed: Counts = reduce(add, (counts_of(part, catalogue, CUT_OFF) for part in parts))
    for name in NAMES:
        assert np.array_equal(getattr(summed, name), getattr(whole, name)), name
    assert abs(summed.gram - whole.gram).max() < 1e-5
    assert (summed.sample.firsts != whole.sample.firsts).nnz == 0
    for name in ("track", "genre", "like_us", "user_id"):
        assert np.array_equal(getattr(summed.likes, name), getattr(whole.likes, name)), name


@pytest.mark.thorough
def test_the_sample_of_tastes_is_the_same_users_in_any_split() -> None:
    listeners, catalogue, _ = made(3)
    whole = counts_of(listeners, catalogue, CUT_OFF, tastes_share=0.5).sample
    parts = [listeners.some(at, at + 1) for at in range(USERS)]
    summed: Counts = reduce(add, (counts_of(part, catalogue, CUT_OFF, tastes_share=0.5) for part in parts))
    everybody = counts_of(listeners, catalogue, CUT_OFF).sample
    chosen = in_sample(listeners.user_id, 0.5)
    assert 0 < whole.firsts.shape[0] == chosen.sum() < USERS
    for sample in (whole, summed.sample):
        assert (sample.firsts != everybody.firsts[np.flatnonzero(chosen)]).nnz == 0
        assert (sample.favourites != everybody.favourites[np.flatnonzero(chosen)]).nnz == 0


def test_about_that_share_of_users_is_in_the_sample() -> None:
    users = np.arange(10_000)
    quarter = in_sample(users, 0.25)
    assert quarter.mean() == pytest.approx(0.25, abs=0.02)
    assert not (quarter & ~in_sample(users, 0.5)).any()  # more users: none of them leaves
    assert in_sample(users, 1.0).all()


@pytest.mark.thorough
def test_the_linear_model_is_the_one_of_all_plays() -> None:
    """Summed as grams of shards, it is what the benches fit to the plays themselves."""
    listeners, catalogue, _ = made(2)
    past = listeners.listening.between(None, CUT_OFF)
    plays = weighted_plays(
        (USERS, TRACKS), past.play_user, past.play_track, CUT_OFF - past.play_us, GRAM_DAYS
    )
    counts = counts_of(listeners, catalogue, CUT_OFF)
    model = tracks_of(catalogue, counts, CUT_OFF, ridge=2.0, most_tracks=10).model
    expected = fit(plays, ridge=2.0, most_tracks=10)
    assert np.array_equal(model.track, expected.track)
    assert np.allclose(model.weight, expected.weight, atol=1e-5)


@pytest.mark.thorough
def test_farmed_tracks_count_nothing() -> None:
    listeners, catalogue, _ = made()
    farmed = np.zeros(TRACKS, dtype=bool)
    farmed[[0, 1]] = True
    counts = counts_of(listeners, catalogue, CUT_OFF, farmed)
    tracks = tracks_of(catalogue, counts, CUT_OFF, ridge=1.0, most_tracks=10)
    assert not counts.plays[:, :2].any()
    assert not counts.city[:, :2].any()
    assert not np.isin([0, 1], tracks.model.track).any()
    assert not np.isin([0, 1], tracks.likes.track).any()


@pytest.mark.thorough
def test_what_is_out_before_the_cut_off() -> None:
    listeners, catalogue, _ = made()
    unknown = catalogue.released_day.copy()
    unknown[0] = UNKNOWN_DAY
    catalogue = type(catalogue)(**{**catalogue.__dict__, "released_day": unknown})
    tracks = tracks_of(
        catalogue, counts_of(listeners, catalogue, CUT_OFF), CUT_OFF, ridge=1.0, most_tracks=10
    )
    assert tracks.released.tolist() == [True] * (TRACKS - 1) + [False]
    assert np.isnan(tracks.age_days[0])
    assert tracks.age_days[-3:].tolist() == [10, 1, -1]
    assert np.allclose(np.linalg.norm(tracks.side.embedding, axis=1).round(5) % 1, 0)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(4))
def test_stirred_beside_a_loop(seed: int) -> None:
    listeners, catalogue, table = made(seed)
    likes = counts_of(listeners, catalogue, CUT_OFF).likes
    rng = np.random.default_rng(seed)
    user, track = np.divmod(np.arange(USERS * TRACKS), TRACKS)
    heard = rng.integers(CUT_OFF - 20 * DAY_US, CUT_OFF, len(user))
    late = table[table.liked & (table.us < CUT_OFF) & (table.us >= CUT_OFF - 14 * DAY_US)]

    def expected(who: int, what: int, since: int) -> bool:
        mine = {genre for genre in listeners.favourites[who] if genre >= 0}
        others = {
            int(other)
            for other, liked, moment in zip(late.user, late.track, late.us, strict=True)
            if liked == what and moment > since and other != who and mine & set(listeners.favourites[other])
        }
        return len(others) >= 3

    found = stirred(likes, user, track, heard, listeners.user_id, listeners.favourites)
    assert found.tolist() == [expected(*each) for each in zip(user, track, heard, strict=True)]
