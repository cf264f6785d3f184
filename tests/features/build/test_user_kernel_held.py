"""What earlier builds hold of users: builds of some months equal one of all, in any slices."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

import hypothesis.strategies as st
import polars as pl
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from pozytywka_spark.features.build.user_kernel import SliceMade, make_slice
from tests.features.build.made_users import MONTHS, oracle_of, small_world
from tests.worlds.slice_world import (
    APRIL,
    FEBRUARY,
    JANUARY,
    PLAN,
    made_world,
    months_of,
    together,
    track_rows,
)

SEEDS = st.integers(0, 10**6)


@settings(max_examples=15)
@given(SEEDS)
def test_an_oracle_gives_the_same(seed: int) -> None:
    world = made_world(seed)
    months = months_of(world)
    made = make_slice(world.rows(months), world.sides(), PLAN, months)
    assert_frame_equal(made.user_month, oracle_of(world), check_dtypes=False)


@settings(max_examples=15)
@given(SEEDS, st.integers(1, 5))
def test_builds_of_some_months_each_equal_one_of_all(seed: int, at_once: int) -> None:
    world = made_world(seed)
    months = months_of(world)
    whole = make_slice(world.rows(months), world.sides(), PLAN, months)
    done: list[SliceMade] = []
    for first in range(0, len(months), at_once):
        mine = months[first : first + at_once]
        rows = world.rows(mine, together(done) if done else None)
        done.append(make_slice(rows, world.sides(), PLAN, mine))
    _assert_same(together(done), together([whole]))


@settings(max_examples=15)
@given(SEEDS, st.integers(2, 4))
def test_users_in_slices_equal_users_at_once(seed: int, parts: int) -> None:
    world = made_world(seed)
    months = months_of(world)
    whole = make_slice(world.rows(months), world.sides(), PLAN, months)
    made = []
    for part in range(parts):
        mine = world.of_users(pl.col("user_id") % parts == part)
        made.append(make_slice(mine.rows(months), world.sides(), PLAN, months))
    _assert_same(together(made), together([whole]))


def test_what_is_held_of_the_builds_own_months_counts_for_nothing() -> None:
    """A build of months that were built before is given files that it is about to replace."""
    world = small_world()
    whole = make_slice(world.rows(MONTHS), world.sides(), PLAN, MONTHS)
    again = make_slice(world.rows(MONTHS, whole), world.sides(), PLAN, MONTHS)
    _assert_same(again, whole)


def test_a_held_like_goes_by_its_identifier() -> None:
    """T0001 was a stray when it was liked, and is a track now; the reverse for T0012."""
    catalogue = track_rows(12).with_columns(artist_id=pl.col("artist_id"))
    world = small_world()
    plays = [(1, FEBRUARY, "T0001", 3, 0), (1, FEBRUARY, "T0012", 2, 0), (1, FEBRUARY, "S9", 2, 1)]
    world = replace(
        world,
        tracks=catalogue,
        months=world.months.filter(pl.col("user_id") == 1),
        plays=pl.DataFrame(plays, world.plays.schema, orient="row"),
        likes=world.likes.clear(),
    )
    liked = [(1, "T0012", JANUARY), (1, "T0001", JANUARY), (2, "S9", JANUARY)]
    held = pl.DataFrame(liked, ["user_id", "track_id", "month"], orient="row").with_columns(
        liked_at=pl.lit(datetime(2023, 1, 2, tzinfo=UTC)).cast(pl.Datetime("us", "UTC"))
    )
    rows = replace(world.rows([FEBRUARY]), likes=held)
    made = make_slice(rows, world.sides(), PLAN, [FEBRUARY])
    assert made.user_month.get_column("liked_plays").to_list() == [3 + 2 + 1]
    assert made.likes.height == 0


def test_held_likes_are_not_told_again_and_held_artists_have_no_debut() -> None:
    world = small_world()
    january = make_slice(world.rows([JANUARY]), world.sides(), PLAN, [JANUARY])
    later = make_slice(world.rows(MONTHS[1:], january), world.sides(), PLAN, MONTHS[1:])
    assert later.likes.select("user_id", "track_id").rows() == [(2, "S1")]
    assert later.artists.rows() == [(1, APRIL, "A0002")]
    assert later.users.get_column("user_id").to_list() == [2]


def _assert_same(one: SliceMade, other: SliceMade) -> None:
    for each in fields(SliceMade):
        assert_frame_equal(getattr(one, each.name), getattr(other, each.name), check_exact=True)
