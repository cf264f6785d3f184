"""A month's events to measures, plays and likes: events as literals, whole tables out."""

from __future__ import annotations

from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

from pozytywka_spark.features.build.month_kernel import MonthMade, measure_month
from pozytywka_spark.features.build.parcels import LIKED_ROWS, LISTENED_ROWS, PLAYED_ROWS
from pozytywka_spark.features.build.plan import CataloguePlan, Named
from tests.features.build.made_month import SECOND, measured
from tests.worlds.month_world import MARCH, PLAN, bought, dimensions, events, micros, plan


def made(text: str, *purchases: tuple[int, str], of: CataloguePlan = PLAN) -> MonthMade:
    return measure_month(events(text), bought(*purchases), dimensions(), of, MARCH)


def table(rows: list[tuple[Any, ...]], schema: pl.Schema) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")


A_MONTH = """
1 2023-03-05 10:00:00 P 11 t1
1 2023-03-05 10:00:30 L 11 t1
1 2023-03-05 10:00:40 S 11 t1
1 2023-03-05 10:00:40 P 11 t2
1 2023-03-05 10:05:00 A 11 -
1 2023-03-05 10:05:30 A 11 -
1 2023-03-05 10:06:00 P 11 t1
1 2023-03-06 09:00:00 P 12 lost
1 2023-03-06 09:01:00 L 12 lost
2 2023-03-31 23:59:50 P 21 t2
2 2023-03-31 23:59:50 L 21 t2
- 2023-03-07 08:00:00 P 31 t1
"""


def test_a_month_of_two_users_and_somebody() -> None:
    found = made(A_MONTH)
    assert_frame_equal(
        found.measured,
        pl.DataFrame(
            {
                "user_id": [1, 2],
                "month": [MARCH, MARCH],
                "first_event_at": [micros("2023-03-05 10:00:00"), micros("2023-03-31 23:59:50")],
                "skips": [1, 0],
                "ads": [2, 0],
                "plays": [4, 1],
                "likes": [2, 1],
                "duration_ms_total": [220_000, 100_000],
                "duration_ms_known": [3, 1],
                "favourites": [4, 1],  # rock and jazz twice; polka
                "last_event_us": [micros("2023-03-06 09:01:00"), micros("2023-03-31 23:59:50")],
                "late": [0, 2],
                "longest_ad_run": [2, 0],
                # 40 s to the skip; all of t2; all of t1, the last; of the lost track nothing is known
                "listened_us": [200 * SECOND, 10 * SECOND],
                "listened_known": [3, 1],
                "listened_ms": [220_000, 100_000],
                "timed_skips": [1, 0],
                "skip_delay_us": [40 * SECOND, 0],
                "sessions": [2, 1],
                "session_us": [420 * SECOND, 0],
            }
        ),
    )
    assert_frame_equal(
        found.listened,
        table(
            [
                (1, MARCH, 0, None, 2, 1),
                (1, MARCH, 1, None, 1, 0),
                (1, MARCH, None, "lost", 1, 0),
                (2, MARCH, 1, None, 1, 1),  # liked at the very moment
            ],
            LISTENED_ROWS,
        ),
        check_row_order=False,
    )
    assert_frame_equal(
        found.liked,
        table(
            [
                (1, MARCH, 0, None, micros("2023-03-05 10:00:30")),
                (1, MARCH, None, "lost", micros("2023-03-06 09:01:00")),
                (2, MARCH, 1, None, micros("2023-03-31 23:59:50")),
            ],
            LIKED_ROWS,
        ),
        check_row_order=False,
    )
    assert_frame_equal(
        found.played,
        table(
            [(0, None, MARCH, 3), (1, None, MARCH, 2), (None, "lost", MARCH, 1)],
            PLAYED_ROWS,
        ),
        check_row_order=False,
    )


def test_events_come_in_any_order() -> None:
    found = made(A_MONTH)
    mixed = measure_month(
        events(A_MONTH).sample(fraction=1, shuffle=True, seed=3), bought(), dimensions(), PLAN, MARCH
    )
    for name, rows in vars(found).items():
        assert_frame_equal(rows, getattr(mixed, name), check_row_order=name == "measured")


def test_who_has_bought_before_the_cut_off_has_no_row_but_plays() -> None:
    text = "1 2023-03-05 10:00:00 P 11 t1\n2 2023-03-05 10:00:00 P 12 t1\n3 2023-03-05 10:00:00 P 13 t1"
    found = made(
        text,
        (1, "2023-04-01 00:00:00"),  # exactly the cut-off: the next month
        (2, "2023-05-01 00:00:00"),
        (2, "2023-03-31 23:59:59"),  # his first, though not the first line
        (3, "2022-12-01 00:00:00"),
    )
    assert measured(found, "plays") == [(1, 1)]
    assert found.listened["user_id"].to_list() == [1]
    assert found.played.rows() == [(0, None, MARCH, 3)]


def test_a_purchase_of_nobody_is_nobodys() -> None:
    purchases = pl.DataFrame({"user_id": [None], "purchased_at": [0]}, schema=bought().schema)
    text = "1 2023-03-05 10:00:00 P 11 t1\n- 2023-03-05 10:00:00 P 11 t1"
    found = measure_month(events(text), purchases, dimensions(), PLAN, MARCH)
    assert measured(found, "plays") == [(1, 1)]


def test_at_one_instant_a_skip_ends_the_play_before_and_the_next_comes_last() -> None:
    text = """
    1 2023-03-05 10:00:10 P 11 t2
    1 2023-03-05 10:00:10 A 11 -
    1 2023-03-05 10:00:10 S 11 t1
    1 2023-03-05 10:00:00 P 11 t1
    """
    found = made(text)
    assert measured(found, "skip_delay_us", "listened_us", "longest_ad_run") == [
        (1, 10 * SECOND, 110 * SECOND, 1)
    ]


def test_plays_of_one_instant_go_by_track_none_first() -> None:
    text = """
    1 2023-03-05 10:00:00 P 11 t2
    1 2023-03-05 10:00:00 P 11 lost
    1 2023-03-05 10:00:00 P 11 t1
    1 2023-03-05 10:10:00 S 11 t2
    """
    # the last is t2, of 100 s; t1 lasted no time
    assert measured(made(text), "listened_us", "listened_known") == [(1, 100 * SECOND, 3)]


def test_a_skip_counts_right_after_its_play_only() -> None:
    text = """
    1 2023-03-05 10:00:00 S 11 t1
    1 2023-03-05 10:00:05 P 11 t1
    1 2023-03-05 10:00:06 L 11 t1
    1 2023-03-05 10:00:09 S 11 t1
    1 2023-03-05 10:00:20 S 11 t1
    1 2023-03-05 10:00:30 P 11 t1
    1 2023-03-05 10:00:40 A 11 -
    1 2023-03-05 10:00:50 S 11 t1
    1 2023-03-05 10:00:55 P 11 t1
    1 2023-03-05 10:01:00 S 12 t1
    """
    assert measured(made(text), "timed_skips", "skip_delay_us", "skips") == [(1, 1, 4 * SECOND, 5)]


def test_adverts_stand_in_a_row_within_a_session_likes_between_them_or_not() -> None:
    text = """
    1 2023-03-05 10:00:00 A 11 -
    1 2023-03-05 10:00:10 A 11 -
    1 2023-03-05 10:00:11 L 11 t1
    1 2023-03-05 10:00:20 A 11 -
    1 2023-03-05 10:00:30 P 11 t1
    1 2023-03-05 10:00:40 A 11 -
    1 2023-03-05 10:00:50 A 12 -
    1 2023-03-05 10:00:51 A 12 -
    2 2023-03-05 10:00:50 A 21 -
    2 2023-03-05 10:00:51 B 21 -
    """
    assert measured(made(text), "longest_ad_run", "ads") == [(1, 3, 6), (2, 1, 1)]


def test_a_session_without_a_number_is_one_and_two_users_never_share_one() -> None:
    text = """
    1 2023-03-05 10:00:00 P - t1
    1 2023-03-05 10:00:10 A - -
    1 2023-03-05 10:00:20 P 11 t1
    2 2023-03-05 10:00:25 S 11 t1
    """
    found = made(text)
    assert measured(found, "sessions", "session_us", "timed_skips") == [(1, 2, 10 * SECOND, 0), (2, 1, 0, 0)]


def test_what_is_listened_to_never_passes_the_cut_off() -> None:
    text = """
    1 2023-03-31 23:59:58 P 11 t1
    2 2023-03-31 23:59:58 P 21 lost
    3 2023-03-31 23:59:50 P 31 lost
    3 2023-03-31 23:59:59 S 31 lost
    """
    assert measured(made(text), "listened_us", "listened_known") == [
        (1, 2 * SECOND, 1),
        (2, 0, 0),  # neither the track's length nor what follows is known
        (3, 9 * SECOND, 1),
    ]


def test_plays_without_a_track_count_for_no_track_and_their_likes_for_nothing() -> None:
    text = """
    1 2023-03-05 10:00:00 L 11 -
    1 2023-03-05 10:00:00 P 11 -
    1 2023-03-05 10:00:10 P 11 -
    1 2023-03-05 10:00:20 P 11 lost
    """
    found = made(text)
    assert found.liked.height == 0
    assert_frame_equal(
        found.listened,
        table([(1, MARCH, None, None, 2, 0), (1, MARCH, None, "lost", 1, 0)], LISTENED_ROWS),
        check_row_order=False,
    )
    assert found.played.rows() == [(None, "lost", MARCH, 1)]


def test_the_first_like_counts_and_the_plays_from_it_on() -> None:
    text = """
    1 2023-03-05 10:00:00 P 11 t1
    1 2023-03-05 10:00:10 L 11 t1
    1 2023-03-05 10:00:20 L 11 t1
    1 2023-03-05 10:00:15 P 11 t1
    1 2023-03-05 10:00:30 P 11 t1
    2 2023-03-05 10:00:30 P 21 t1
    """
    found = made(text)
    assert found.liked.rows() == [(1, MARCH, 0, None, micros("2023-03-05 10:00:10"))]
    assert sorted(found.listened.rows()) == [(1, MARCH, 0, None, 3, 2), (2, MARCH, 0, None, 1, 0)]


def test_only_what_is_asked_for_is_measured() -> None:
    text = "1 2023-03-05 10:00:00 P 11 t1\n1 2023-03-05 10:00:10 S 11 t1"
    for level in ("gap", "session"):
        one = PLAN.at(level)[0]
        assert made(text, of=plan(one)).measured.columns == ["user_id", "month", "first_event_at", one.name]
    assert made(text, of=plan()).measured.columns == ["user_id", "month", "first_event_at"]
    assert made(text, of=plan()).listened.height == 1


def test_a_month_without_events_comes_to_nothing() -> None:
    found = made("")
    for name, rows in vars(found).items():
        assert rows.height == 0, name
    assert found.measured.columns == ["user_id", "month", "first_event_at", *(m.name for m in PLAN.measures)]
    assert found.listened.schema == LISTENED_ROWS
    assert found.liked.schema == LIKED_ROWS
    assert found.played.schema == PLAYED_ROWS


def test_a_measure_may_be_null_over_the_events_but_not_over_the_other_levels() -> None:
    of = plan(
        Named("first_play_us", pl.col("at").filter(pl.col("kind") == 3).min(), "event"),
        Named("longest_ad_run", pl.col("advert_run").max(), "gap"),
        Named("sessions", pl.col("length").count(), "session"),
    )
    text = "1 2023-03-05 10:00:00 L 11 t1"
    assert measured(made(text, of=of), "first_play_us", "longest_ad_run", "sessions") == [(1, None, 0, 1)]
