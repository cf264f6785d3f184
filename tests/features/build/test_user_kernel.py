"""A slice of users over all months: whole tables, an oracle, and builds in parts that equal one of all."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime
from itertools import pairwise

import duckdb
import hypothesis.strategies as st
import polars as pl
import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from pozytywka_spark.errors import DataError
from pozytywka_spark.features.build.parcels import LIKED_ROWS, LISTENED_ROWS
from pozytywka_spark.features.build.plan import CataloguePlan, Named
from pozytywka_spark.features.build.user_kernel import SliceMade, SliceRows, make_slice
from pozytywka_spark.months import start_micros
from tests.worlds.slice_world import (
    APRIL,
    FEBRUARY,
    JANUARY,
    MARCH,
    PLAN,
    World,
    made_world,
    months_of,
    together,
    track_rows,
)

MONTHS = (JANUARY, FEBRUARY, MARCH, APRIL)
ORACLE = """
with told as (
  select p.*, t.artist_id, t.genre, t.known,
    coalesce((select sum(a.plays) from anyone a
              where a.track_id = p.track_id and a.month < p.month), 0) as prior,
    exists (select 1 from likes l where l.user_id = p.user_id and l.track_id = p.track_id
            and l.month < p.month) as liked_before,
    not exists (select 1 from plays q join tracks s using (track_id)
                where q.user_id = p.user_id and s.artist_id = t.artist_id
                and q.month < p.month) as new
  from plays p left join tracks t using (track_id)
), genres as (
  select user_id, month, max(many) as most from (
    select user_id, month, genre, sum(plays) as many from told where genre is not null group by all
  ) group by all
), summed as (
  select user_id, month,
    count(distinct artist_id) filter (new and artist_id is not null) as new_artists,
    coalesce(sum(plays * prior) filter (known), 0)::bigint as prior,
    coalesce(sum(plays) filter (known), 0)::bigint as prior_known,
    sum(case when liked_before then plays else liked_plays end)::bigint as liked_plays,
    count(distinct track_id) as tracks, count(distinct artist_id) as artists,
    coalesce(sum(plays) filter (genre is null), 0)::bigint as genreless
  from told group by all
)
select m.user_id, m.month, coalesce(new_artists, 0) as new_artists, m.plays,
  coalesce(prior, 0) as prior,
  coalesce(prior_known, 0) as prior_known, coalesce(liked_plays, 0) as liked_plays,
  coalesce(tracks, 0) as tracks, coalesce(artists, 0) as artists,
  coalesce(most, 0)::bigint as most_of_a_genre, coalesce(genreless, 0) as genreless,
  min(first_event_at) over (partition by user_id) as debut_us,
  case when new_artists > 0 then epoch_us(m.month + interval 1 month) // 1000 else 0 end
    as debuts_before
from months m left join summed using (user_id, month) left join genres using (user_id, month)
order by m.month, m.user_id
"""
SEEDS = st.integers(0, 10**6)


def small_world() -> World:
    """User 1 likes T0000 in January and plays it since; user 2 has a stray, and months without a play."""
    return World(
        pl.DataFrame(
            [
                (1, JANUARY, start_micros(JANUARY) + 7, 5),
                (1, FEBRUARY, start_micros(FEBRUARY) + 7, 3),
                (1, APRIL, start_micros(APRIL) + 7, 2),
                (2, FEBRUARY, start_micros(FEBRUARY), 4),
                (2, MARCH, start_micros(MARCH), 0),
            ],
            ["user_id", "month", "first_event_at", "plays"],
            orient="row",
        ),
        pl.DataFrame(
            [
                (1, JANUARY, "T0000", 4, 1),
                (1, JANUARY, "T0010", 1, 0),  # not known
                (1, FEBRUARY, "T0000", 2, 0),
                (1, FEBRUARY, "T0001", 1, 0),  # of the same artist
                (1, APRIL, "T0004", 2, 2),
                (2, FEBRUARY, "S1", 3, 1),
                (2, FEBRUARY, "T0011", 1, 0),  # without artist
            ],
            ["user_id", "month", "track_id", "plays", "liked_plays"],
            orient="row",
        ),
        pl.DataFrame(
            [
                (1, JANUARY, "T0000", start_micros(JANUARY) + 50),
                (1, FEBRUARY, "T0000", start_micros(FEBRUARY) + 50),
                (2, MARCH, "S1", start_micros(MARCH) + 9),
            ],
            ["user_id", "month", "track_id", "liked_at"],
            orient="row",
        ),
        pl.DataFrame(
            [(JANUARY, "T0000", 10), (FEBRUARY, "T0000", 100), (JANUARY, "T0011", 6), (APRIL, "T0004", 9)],
            ["month", "track_id", "plays"],
            orient="row",
        ),
        track_rows(),
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


@settings(max_examples=15)
@given(SEEDS)
def test_an_oracle_gives_the_same(seed: int) -> None:
    world = made_world(seed)
    months = months_of(world)
    made = make_slice(world.rows(months), world.sides(), PLAN, months)
    assert_frame_equal(made.user_month, _oracle(world), check_dtypes=False)


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


def _assert_same(one: SliceMade, other: SliceMade) -> None:
    for each in fields(SliceMade):
        assert_frame_equal(getattr(one, each.name), getattr(other, each.name), check_exact=True)


def _oracle(world: World) -> pl.DataFrame:
    """The measures from identifiers, in SQL."""
    with duckdb.connect() as connection:
        for each in fields(World):
            connection.register(each.name, getattr(world, each.name).to_arrow())
        return connection.sql(ORACLE).pl()


def test_the_made_world_has_what_it_is_there_for() -> None:
    world = made_world(1)
    oracle = _oracle(world)
    assert oracle.filter(pl.col("liked_plays") > 0).height > 5
    assert oracle.filter(pl.col("prior") > 0).height > 5
    assert oracle.filter(pl.col("new_artists") == 0).height > 5
