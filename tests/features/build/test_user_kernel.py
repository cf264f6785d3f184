"""A slice of users over all months: whole tables, an oracle, and builds in parts that equal one of all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from itertools import pairwise

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pozytywka_spark.errors import DataError
from pozytywka_spark.features.build.parcels import LIKED_ROWS, LISTENED_ROWS
from pozytywka_spark.features.build.plan import CataloguePlan, Named
from pozytywka_spark.features.build.user_kernel import SliceRows, make_slice
from pozytywka_spark.months import start_micros
from tests.features.build.made_users import MONTHS, oracle_of, small_world
from tests.worlds.slice_world import (
    APRIL,
    FEBRUARY,
    JANUARY,
    MARCH,
    PLAN,
    made_world,
)


def test_a_small_world_gives_these_tables() -> None:
    world = small_world()
    made = make_slice(world.rows(MONTHS), world.sides(), PLAN, MONTHS)
    cut_off = {month: start_micros(later) // 1000 for month, later in pairwise(MONTHS)}
    may = start_micros(date(2023, 5, 1))
    assert_frame_equal(
        made.user_month,
        pl.DataFrame(
            [
                # new_artists, plays, prior, known, liked, tracks, artists, most, genreless
                (1, JANUARY, 2, 5, 0, 4, 1, 2, 2, 4, 0, start_micros(JANUARY) + 7, cut_off[JANUARY]),
                (1, FEBRUARY, 0, 3, 20, 3, 2, 2, 1, 3, 0, start_micros(JANUARY) + 7, 0),
                (2, FEBRUARY, 0, 4, 6, 1, 1, 2, 0, 0, 4, start_micros(FEBRUARY), 0),
                (2, MARCH, 0, 0, 0, 0, 0, 0, 0, 0, 0, start_micros(FEBRUARY), 0),
                (1, APRIL, 1, 2, 0, 2, 2, 1, 1, 2, 0, start_micros(JANUARY) + 7, may // 1000),
            ],
            ["user_id", "month", *(each.name for each in PLAN.measures)],
            orient="row",
        ),
    )
    assert_frame_equal(
        made.features,
        pl.DataFrame(
            [
                (1, JANUARY, 0.2, 5.0, 2.0, 5.0, start_micros(FEBRUARY) - start_micros(JANUARY) - 7.0, 1.0),
                (1, FEBRUARY, 2 / 3, 8.0, 2.0, 8.0, start_micros(MARCH) - start_micros(JANUARY) - 7.0, 2.0),
                (2, FEBRUARY, 0.25, 4.0, 0.0, 4.0, float(start_micros(MARCH) - start_micros(FEBRUARY)), 2.0),
                (2, MARCH, None, 4.0, 0.0, 4.0, float(start_micros(APRIL) - start_micros(FEBRUARY)), 3.0),
                (1, APRIL, 1.0, 5.0, 1.0, 10.0, may - start_micros(JANUARY) - 7.0, 4.0),
            ],
            ["user_id", "month", *(each.name for each in PLAN.features)],
            orient="row",
        ),
    )
    assert made.likes.rows() == [
        (1, "T0000", _time(start_micros(JANUARY) + 50), JANUARY),
        (2, "S1", _time(start_micros(MARCH) + 9), MARCH),
    ]
    assert made.artists.rows() == [(1, JANUARY, "A0000"), (1, JANUARY, "A0005"), (1, APRIL, "A0002")]
    assert made.users.rows() == [
        (1, _time(start_micros(JANUARY) + 7), JANUARY),
        (2, _time(start_micros(FEBRUARY)), FEBRUARY),
    ]


def test_no_plays_and_no_likes_at_all() -> None:
    world = small_world()
    rows = SliceRows(
        world.months.with_columns(plays=0),
        pl.DataFrame(schema=LISTENED_ROWS),
        pl.DataFrame(schema=LIKED_ROWS),
    )
    made = make_slice(rows, world.sides(), PLAN, MONTHS)
    assert made.user_month.height == 5
    assert set(made.user_month.get_column("new_artists")) == {0}
    assert (made.likes.height, made.artists.height, made.users.height) == (0, 0, 2)


def test_a_play_that_names_no_track_counts_as_a_play_only() -> None:
    world = small_world()
    rows = world.rows(MONTHS)
    nameless = rows.listened.with_columns(
        track=pl.lit(None, pl.UInt32), stray=pl.lit(None, pl.String), liked_plays=pl.lit(0, pl.Int64)
    )
    one_each = nameless.unique(["user_id", "month"])
    made = make_slice(replace(rows, listened=one_each), world.sides(), PLAN, MONTHS)
    told = (
        made.user_month.select("tracks", "artists", "prior_known", "liked_plays", "new_artists").sum().row(0)
    )
    assert told == (0, 0, 0, 0, 0)
    assert made.user_month["genreless"].sum() == one_each["plays"].sum()


def test_what_another_user_has_liked_is_no_like_of_a_play_that_names_no_track() -> None:
    """User 1 likes the track of the greatest number, the next user's plays without a track come later."""
    world = small_world()
    likes = pl.DataFrame([(1, JANUARY, "S1", start_micros(JANUARY))], world.likes.schema, orient="row")
    rows = replace(world, likes=likes).rows(MONTHS)
    nameless = rows.listened.filter(user_id=2, month=FEBRUARY).head(1).with_columns(
        track=pl.lit(None, pl.UInt32), stray=pl.lit(None, pl.String), liked_plays=pl.lit(0, pl.Int64)
    )  # fmt: skip
    made = make_slice(replace(rows, listened=nameless), world.sides(), PLAN, MONTHS)
    assert made.user_month["liked_plays"].to_list() == [0] * 5


def test_plays_in_a_month_that_is_not_measured_are_refused() -> None:
    world = small_world()
    rows = world.rows(MONTHS)
    lacking = replace(rows, measured=rows.measured.filter(pl.col("month") != APRIL))
    with pytest.raises(DataError, match="isn't measured"):
        make_slice(lacking, world.sides(), PLAN, MONTHS)


def test_a_measure_that_leaves_64_bits_names_user_and_month() -> None:
    world = small_world()
    huge = (pl.col("plays").cast(pl.Int128) * pl.col("prior_plays") * 2**60).sum().cast(pl.Int64)
    plan = CataloguePlan((Named("huge", huge, "popularity"),), (), ())
    with pytest.raises(DataError, match="huge leaves 64 bits for user 1 in 2023-02"):
        make_slice(world.rows(MONTHS), world.sides(), plan, MONTHS)


def _time(micros: int) -> datetime:
    return pl.Series([micros]).cast(pl.Datetime("us", "UTC")).item()


def test_the_made_world_has_what_it_is_there_for() -> None:
    world = made_world(1)
    oracle = oracle_of(world)
    assert oracle.filter(pl.col("liked_plays") > 0).height > 5
    assert oracle.filter(pl.col("prior") > 0).height > 5
    assert oracle.filter(pl.col("new_artists") == 0).height > 5
