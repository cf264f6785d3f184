"""Pass 2 against plain Python, user by user, and what must hold of every page."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from pozytywka_spark.feed.arrange.draws import draws
from pozytywka_spark.feed.arrange.pages import Pages, Valued, arrange
from pozytywka_spark.feed.arrange.rules import NAMES, Rules
from pozytywka_spark.feed.arrange.shortlist import TrackTraits
from tests.feed.plain_arrange import Track, page_of

DAY = date(2023, 5, 1)
TRACKS = 400


def _world(seed: int, users: int, most: int, artists: int, genres: int) -> tuple[Valued, TrackTraits]:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, most + 1, users)
    track = np.concatenate(
        [np.zeros(0, np.int64), *(rng.choice(TRACKS, count, replace=False) for count in counts)]
    )
    total = len(track)
    embedding = rng.normal(size=(TRACKS, 6))
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    traits = TrackTraits.of(
        rng.integers(0, artists, TRACKS),
        rng.integers(-1, genres, (TRACKS, 2)),
        rng.random(TRACKS) < 0.1,
        embedding.astype(np.float32),
    )
    valued = Valued(
        np.sort(rng.choice(10**6, users, replace=False)),
        np.concatenate([[0], np.cumsum(counts)]),
        track,
        rng.integers(-40, 40, total) / 8,  # many are equal
        rng.integers(0, 4, total) * (rng.random(total) < 0.2),
        rng.random(total) < 0.1,
    )
    return valued, traits


def _plain(valued: Valued, traits: TrackTraits, rules: Rules) -> Pages:
    drawn, pick = draws(valued.user_id, DAY, rules.page, rules.explore)
    shape = (len(valued.user_id), rules.page)
    pages = Pages(np.full(shape, -1), np.zeros(shape, np.uint8), np.zeros(shape, bool), np.zeros(shape))
    for user in range(shape[0]):
        tracks = [
            Track(
                entry,
                int(valued.track[entry]),
                float(valued.value[entry]),
                int(traits.artist[valued.track[entry]]),
                int(traits.genre[valued.track[entry]]),
                bool(valued.new[entry]),
                bool(traits.promoted[valued.track[entry]]),
                int(valued.passed[entry]),
                tuple(traits.embedding[valued.track[entry]].tolist()),
            )
            for entry in range(valued.start[user], valued.start[user + 1])
        ]
        for at, place in enumerate(page_of(tracks, rules, drawn[user].tolist(), pick[user].tolist())):
            pages.entry[user, at] = place.entry
            pages.broken[user, at] = sum(1 << NAMES.index(name) for name in place.broken)
            pages.explored[user, at] = place.explored
            pages.probability[user, at] = place.probability
    return pages


def _same(pages: Pages, other: Pages) -> None:
    np.testing.assert_array_equal(pages.entry, other.entry)
    np.testing.assert_array_equal(pages.broken, other.broken)
    np.testing.assert_array_equal(pages.explored, other.explored)
    np.testing.assert_allclose(pages.probability, other.probability, rtol=1e-12)


CASES = {
    "as set": (Rules(page=20), 60, 30, 6),
    "few artists": (Rules(page=12, new_artists=2), 40, 4, 3),
    "one genre": (Rules(page=12, new_artists=3, spread=0.5), 60, 20, 1),
    "much drawn": (Rules(page=15, explore=0.5, spread=1.0, sink=3), 50, 12, 4),
    "few tracks": (Rules(page=30), 12, 6, 3),
    "order of value": (Rules(page=20, arrange=False), 40, 10, 4),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", [1, 2])
def test_pages_are_those_of_plain_python(name: str, seed: int) -> None:
    rules, most, artists, genres = CASES[name]
    valued, traits = _world(seed, 30, most, artists, genres)
    _same(arrange(valued, traits, rules, DAY), _plain(valued, traits, rules))


def test_users_in_parts_get_the_same_pages() -> None:
    rules = Rules(page=20)
    valued, traits = _world(3, 40, 60, 30, 6)
    whole = arrange(valued, traits, rules, DAY)
    for low, high in ((0, 13), (13, 14), (14, 40)):
        first, last = valued.start[low], valued.start[high]
        part = Valued(
            valued.user_id[low:high],
            valued.start[low : high + 1] - first,
            *(getattr(valued, name)[first:last] for name in ("track", "value", "passed", "new")),
        )
        pages = arrange(part, traits, rules, DAY)
        entry = np.where(pages.entry >= 0, pages.entry + first, -1)
        np.testing.assert_array_equal(entry, whole.entry[low:high])
        np.testing.assert_array_equal(pages.probability, whole.probability[low:high])


@pytest.mark.parametrize("users", [0, 3])
def test_users_without_candidates_have_empty_pages(users: int) -> None:
    _, traits = _world(5, 2, 10, 5, 2)
    none = np.zeros(0, np.int64)
    valued = Valued(np.arange(users), np.zeros(users + 1, np.int64), none, none, none, none.astype(bool))
    pages = arrange(valued, traits, Rules(page=4), DAY)
    assert pages.entry.tolist() == [[-1] * 4] * users
    assert not pages.explored.any()


def test_with_tracks_enough_no_rule_gives_way() -> None:
    valued, traits = _world(4, 50, 300, 120, 12)
    valued = replace(valued, new=np.arange(len(valued.track)) % 20 == 0)
    rows = np.diff(valued.start) > 150
    pages = arrange(valued, traits, Rules(), DAY)
    assert rows.sum() > 10
    assert not pages.broken[rows].any()
    assert (pages.entry[rows] >= 0).all()


def test_a_track_that_was_passed_over_sinks() -> None:
    tracks = np.arange(100)
    traits = TrackTraits.of(tracks, tracks[:, None] % 7, np.zeros(100, bool), np.zeros((100, 2), np.float32))
    valued = Valued(
        np.array([5]), np.array([0, 100]), tracks, -tracks / 10, (tracks == 0) * 2, np.zeros(100, bool)
    )
    rules = Rules(explore=0, new_artists=0)
    page = arrange(valued, traits, rules, DAY).entry[0].tolist()
    assert page[39:42] == [40, 0, 41]


def test_probabilities_are_how_often_a_track_stands_there() -> None:
    """Ten thousand users with the same candidates: a place's shares meet the probabilities logged."""
    users, count = 10_000, 4
    tracks = np.tile(np.arange(count), users)
    traits = TrackTraits.of(
        np.arange(count), np.arange(count)[:, None], np.zeros(count, bool), np.zeros((count, 1), np.float32)
    )
    valued = Valued(
        np.arange(users),
        np.arange(users + 1) * count,
        tracks,
        -tracks.astype(float),
        np.zeros(len(tracks), np.int64),
        np.zeros(len(tracks), bool),
    )
    pages = arrange(valued, traits, Rules(page=1, explore=0.4, new_artists=0), DAY)
    shares = np.bincount(tracks[pages.entry[:, 0]], minlength=count) / users
    logged = {
        int(track): p for track, p in zip(tracks[pages.entry[:, 0]], pages.probability[:, 0], strict=True)
    }
    np.testing.assert_allclose(shares, [logged[track] for track in range(count)], atol=0.01)
    assert sum(logged.values()) == pytest.approx(1)
