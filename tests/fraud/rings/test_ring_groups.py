"""Rings among accounts and tracks: who belongs to which, whatever the order, and what doesn't make one."""

from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_spark.fraud.rings import groups
from pozytywka_spark.fraud.rings.groups import Least, rings_among

COLUMNS = ["user_id", "track_id", "plays", "expected"]


def edges(*blocks: tuple[list[int], str]) -> pl.DataFrame:
    """Each block: accounts, and the tracks (a letter each) that all of them play 20 times."""
    rows = {
        (user, track): (user, track, 20, 0.5)
        for users, tracks in blocks
        for user in users
        for track in tracks
    }
    return pl.DataFrame(list(rows.values()), schema=COLUMNS, orient="row")


def members(found: pl.DataFrame) -> dict[int, list[int]]:
    return {ring: some["user_id"].to_list() for (ring,), some in found.group_by("ring", maintain_order=True)}


def test_accounts_that_share_tracks_are_a_ring() -> None:
    found = rings_among(edges(([3, 1, 2], "abc"), ([7, 8], "def")), Least())
    assert members(found) == {1: [1, 2, 3], 7: [7, 8]}
    assert found.columns == ["ring", "user_id", "score", "tracks"]
    assert found["tracks"].to_list() == [["a", "b", "c"]] * 3 + [["d", "e", "f"]] * 2
    assert found["score"].to_list() == pytest.approx([3 * (20 * np.log(40) - 19.5)] * 5)


@pytest.mark.parametrize(
    "some",
    [
        edges(([1, 2, 3], "ab")),
        edges(([1], "abcdef")),
        edges(([1, 2], "ab"), ([2, 3], "cd"), ([3, 1], "ef")),
        edges(([1], "abcx"), ([2], "abdy"), ([3], "acdz")),
        edges(),
    ],
)
def test_what_makes_no_ring(some: pl.DataFrame) -> None:
    some = some.cast({"user_id": pl.Int64, "track_id": pl.String, "plays": pl.Int64, "expected": pl.Float64})
    assert not rings_among(some, Least()).height


def test_the_least_of_a_ring_can_be_set() -> None:
    some = edges(([1, 2], "abcd"), ([3, 4, 5], "ef"))
    assert members(rings_among(some, Least(tracks=2))) == {1: [1, 2], 3: [3, 4, 5]}
    assert members(rings_among(some, Least(tracks=4))) == {1: [1, 2]}
    assert members(rings_among(some, Least(tracks=2, accounts=3))) == {3: [3, 4, 5]}


def test_many_tracks_with_few_in_common_are_no_likeness() -> None:
    """Skimmers go through dozens of tracks each: that two meet in three of them says nothing."""
    some = edges(([1], "abcdefghi"), ([2], "abcjklmno"), ([3], "defjkqrst"))
    assert not rings_among(some, Least()).height


def test_two_rings_that_meet_stay_two() -> None:
    some = edges((list(range(1, 9)), "abcdef"), (list(range(11, 19)), "uvwxyz"), ([50], "abcxyz"))
    assert members(rings_among(some, Least())) == {1: list(range(1, 9)), 11: list(range(11, 19))}


@pytest.mark.thorough
@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(2, 12), st.integers(3, 6)), min_size=1, max_size=6), st.randoms())
def test_planted_rings_come_back_whatever_the_order(sizes: list[tuple[int, int]], shuffle: Random) -> None:
    planted, blocks, track = {}, [], 97
    for number, (accounts, tracks) in enumerate(sizes):
        users = [number * 100 + user for user in range(accounts)]
        blocks.append((users, "".join(map(chr, range(track, track + tracks)))))
        planted[users[0]] = users
        track += tracks
    some = edges(*blocks)
    order = list(range(some.height))
    shuffle.shuffle(order)
    found = rings_among(some[order], Least())
    assert members(found) == planted
    assert found.equals(rings_among(some, Least()))


def test_a_hub_track_joins_nobody_once_pairs_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound counts pairs: what it leaves out are the tracks of most accounts."""
    some = edges((list(range(1, 5)), "abc"), (list(range(1, 41)), "h"), (list(range(11, 41)), "uvw"))
    assert len(members(rings_among(some, Least()))) == 2
    monkeypatch.setattr(groups, "PAIRS", 60)
    assert members(rings_among(some, Least())) == {1: [1, 2, 3, 4]}
