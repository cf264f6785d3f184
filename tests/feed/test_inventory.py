"""The inventory: sources, caps, second chances, newcomers; each rule beside plain code."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import get_args

import numpy as np
import pytest

from pozytywka_spark.config import feed
from pozytywka_spark.config.feed import Source
from pozytywka_spark.feed.about import About, about, batches
from pozytywka_spark.feed.inventory.collect import CAPS, SOURCES, Wanted, collect
from pozytywka_spark.feed.inventory.sources import Shown, at_random, lists_of, unread
from pozytywka_spark.feed.listening import DAY_US, Listeners, Listening
from pozytywka_spark.feed.pairs import Pairs
from pozytywka_spark.feed.track_side import Tracks, counts_of, tracks_of
from pozytywka_spark.names import HEADS
from tests.feed.plain_model import CUT_OFF, GENRES, TRACKS, USERS, made

NONE = Shown(*(np.zeros(0, dtype=np.int64) for _ in range(3)), np.zeros(0, dtype=bool))


@cache  # to look at: nobody changes it
def world(seed: int = 1) -> tuple[Listeners, About, Tracks]:
    listeners, catalogue, _ = made(seed)
    tracks = tracks_of(
        catalogue, counts_of(listeners, catalogue, CUT_OFF), CUT_OFF, ridge=1.0, most_tracks=10
    )
    return listeners, about(listeners, tracks), tracks


def pages(pairs: Pairs) -> list[list[int]]:
    return [pairs.track[a:b].tolist() for a, b in zip(pairs.start[:-1], pairs.start[1:], strict=True)]


def of_source(pairs: Pairs, name: str) -> set[tuple[int, int]]:
    chosen = (pairs.sources >> SOURCES.index(name)) & 1 == 1
    return set(zip(pairs.user[chosen].tolist(), pairs.track[chosen].tolist(), strict=True))


def test_settings_know_every_source() -> None:
    assert get_args(Source) == SOURCES
    assert set(CAPS) == set(SOURCES)


@pytest.mark.thorough
@pytest.mark.parametrize("candidates", [1, 5, 1000])
def test_each_track_once_none_from_the_future_and_never_too_many(candidates: int) -> None:
    _, users, tracks = world()
    pairs = collect(users, tracks, lists_of(tracks, 100), Wanted(candidates))
    for page in pages(pairs):
        assert page == sorted(set(page))
        assert len(page) <= candidates
        assert TRACKS - 1 not in page  # it comes out after the cut-off
    assert (pairs.sources > 0).all()


@pytest.mark.thorough
def test_what_they_play_comes_from_their_own_unless_repeats_are_dropped() -> None:
    listeners, users, tracks = world()
    past = listeners.before(CUT_OFF).listening
    played = set(zip(past.play_user.tolist(), past.play_track.tolist(), strict=True))
    played = {(user, track) for user, track in played if track != TRACKS - 1}  # which isn't out yet
    lists = lists_of(tracks, 100)
    assert of_source(collect(users, tracks, lists, Wanted()), "own") == played
    dropped = collect(users, tracks, lists, Wanted(repeats=False))
    assert not played & set(zip(dropped.user.tolist(), dropped.track.tolist(), strict=True))


@pytest.mark.thorough
@pytest.mark.parametrize("source", SOURCES)
def test_a_cap_of_none_leaves_a_source_out(source: str) -> None:
    _, users, tracks = world()
    pairs = collect(users, tracks, lists_of(tracks, 100), Wanted(1000, {source: 0}))
    assert not of_source(pairs, source)


@pytest.mark.thorough
def test_caps_hold() -> None:
    _, users, tracks = world()
    pairs = collect(users, tracks, lists_of(tracks, 100), Wanted(1000, {"own": 2, "artist": 3, "new": 1}))
    for source, cap in (("own", 2), ("artist", 3), ("new", 1)):
        count = np.bincount([user for user, _ in of_source(pairs, source)], minlength=USERS)
        assert count.max() == cap


@pytest.mark.thorough
def test_newcomers_get_what_is_popular_new_and_of_their_genres() -> None:
    listeners, _, tracks = world()
    users = about(listeners.before(0), tracks)
    pairs = collect(users, tracks, lists_of(tracks, 100), Wanted())
    for source in ("popular", "new", "genre", "random"):
        assert {user for user, _ in of_source(pairs, source)} == set(range(USERS)), source
    favourites = listeners.favourites
    for user, track in of_source(pairs, "genre"):
        assert set(tracks.side.genres[track]) & {genre for genre in favourites[user] if genre >= 0}
    for user, track in of_source(pairs, "popular_city"):
        assert tracks.city[listeners.city[user], track] > 0


@pytest.mark.thorough
def test_any_batches_give_the_same() -> None:
    listeners, users, tracks = world()
    lists = lists_of(tracks, 100)
    whole = collect(users, tracks, lists, Wanted(6))
    parts = [
        collect(about(listeners.some(at, at + 1), tracks), tracks, lists, Wanted(6)) for at in range(USERS)
    ]
    assert pages(whole) == [page for part in parts for page in pages(part)]
    assert np.array_equal(whole.sources, np.concatenate([part.sources for part in parts]))
    assert sum(map(len, batches(listeners, 1 << 22))) == USERS


@pytest.mark.thorough
def test_unread_beside_a_loop() -> None:
    listeners, users, _ = world(2)
    rng = np.random.default_rng(0)
    count = 200
    shown = Shown(
        rng.integers(0, USERS, count),
        rng.integers(0, TRACKS, count),
        rng.integers(CUT_OFF - 20 * DAY_US, CUT_OFF + DAY_US, count),
        rng.random(count) < 0.2,
    )
    past = listeners.before(CUT_OFF).listening
    expected = set()
    for user in range(USERS):
        for track in range(TRACKS):
            mine = (shown.user == user) & (shown.track == track)
            mine &= (shown.feed_us >= CUT_OFF - 14 * DAY_US) & (shown.feed_us < CUT_OFF)
            if not mine.any() or shown.seen[mine].any():
                continue
            plays = past.play_us[(past.play_user == user) & (past.play_track == track)]
            if not (plays >= shown.feed_us[mine].min()).any():
                expected.add((user, track))
    found = unread(users, shown, CUT_OFF, 1000)
    assert set(zip(found.user.tolist(), found.track.tolist(), strict=True)) == expected
    assert expected


@pytest.mark.thorough
def test_planted_second_chances_come_back_however_few_candidates() -> None:
    listeners, catalogue, _ = made(5)
    favourites = np.full((USERS, 1), 0)
    quiet = listeners.listening.between(None, CUT_OFF - 20 * DAY_US)
    # user 0 heard track 3 long ago; users 1, 2, 3 share a genre and like it in the last 14 days
    plays = np.array([[0, 3, CUT_OFF - 19 * DAY_US]])
    likes = np.array([[user, 3, CUT_OFF - user * DAY_US] for user in (1, 2, 3)])
    listening = Listening(
        np.append(quiet.play_user, plays[:, 0]),
        np.append(quiet.play_track, plays[:, 1]),
        np.append(quiet.play_us, plays[:, 2]),
        np.append(quiet.play_finished, [True]),
        np.append(quiet.play_skipped, [False]),
        np.append(quiet.like_user, likes[:, 0]),
        np.append(quiet.like_track, likes[:, 1]),
        np.append(quiet.like_us, likes[:, 2]),
    )
    order, liked = (
        np.lexsort((listening.play_us, listening.play_user)),
        np.lexsort((listening.like_us, listening.like_user)),
    )
    listening = Listening(
        *(getattr(listening, name)[order] for name in ("play_user", "play_track", "play_us")),
        listening.play_finished[order],
        listening.play_skipped[order],
        *(getattr(listening, name)[liked] for name in ("like_user", "like_track", "like_us")),
    )
    listeners = replace(listeners, favourites=favourites, listening=listening)
    tracks = tracks_of(
        catalogue, counts_of(listeners, catalogue, CUT_OFF), CUT_OFF, ridge=1.0, most_tracks=10
    )
    shown = Shown(np.array([4]), np.array([7]), np.array([CUT_OFF - 2 * DAY_US]), np.array([False]))
    known = about(listeners, tracks)
    pairs = collect(known, tracks, lists_of(tracks, 100), Wanted(3), shown)
    assert (0, 3) in of_source(pairs, "stirred")
    assert (4, 7) in of_source(pairs, "unread")
    # two are too few
    fewer = replace(listeners, listening=replace(listening, like_us=listening.like_us - 13 * DAY_US))
    tracks = tracks_of(catalogue, counts_of(fewer, catalogue, CUT_OFF), CUT_OFF, ridge=1.0, most_tracks=10)
    pairs = collect(about(fewer, tracks), tracks, lists_of(tracks, 100), Wanted(3), NONE)
    assert (0, 3) not in of_source(pairs, "stirred")


@pytest.mark.thorough
def test_random_tracks_are_by_user_and_day_alone() -> None:
    listeners, _, tracks = world()
    one = at_random(listeners.user_id, tracks, 5)
    again = at_random(listeners.user_id[3:4], tracks, 5)
    assert again.track.tolist() == one.track[one.user == 3].tolist()
    later = at_random(listeners.user_id, replace(tracks, cut_off_us=CUT_OFF + DAY_US), 5)
    assert later.track.tolist() != one.track.tolist()


@pytest.mark.thorough
def test_nobody_ever_played_anything() -> None:
    listeners, catalogue, _ = made()
    nothing = listeners.before(0)
    tracks = tracks_of(catalogue, counts_of(nothing, catalogue, CUT_OFF), CUT_OFF, ridge=1.0, most_tracks=10)
    pairs = collect(about(nothing, tracks), tracks, lists_of(tracks, 100), Wanted())
    assert len(pairs.start) == USERS + 1
    assert len(pairs) > 0  # what is new, and the random share
    assert len(tracks.genre) == GENRES


def test_settings_name_the_sources_and_heads_that_there_are() -> None:
    assert get_args(Source) == SOURCES
    assert feed.HEADS == HEADS
