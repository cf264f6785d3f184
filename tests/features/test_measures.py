"""Every measure on a few rows of its level's frame: whole tables in, whole tables out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from polars.exceptions import InvalidOperationError

from pozytywka_spark.features.build.plan import plan_of
from pozytywka_spark.features.declared.catalogue import CATALOGUE, OPTIONAL
from pozytywka_spark.features.declared.event_codes import KINDS
from pozytywka_spark.features.declared.levels import ATTRIBUTES, COLUMNS
from pozytywka_spark.features.declared.values import Level
from pozytywka_spark.months import cut_off_micros

PLAN = plan_of((*CATALOGUE, *OPTIONAL))
JULY, AUGUST = date(2023, 7, 1), date(2023, 8, 1)  # July began on a Saturday and ended on a Monday
TYPES = {"month": pl.Date, "kind": pl.UInt8, "genre": pl.String}


def level(name: Level, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> pl.DataFrame:
    """The frame of a level: `columns` beside the user and the month, all others null."""
    given = pl.DataFrame(
        [(*row[:2], cut_off_micros(row[1]), *row[2:]) for row in rows],
        schema={each: TYPES.get(each, pl.Int64) for each in ("user_id", "month", "cut_off", *columns)},
        orient="row",
    )
    return given.with_columns(
        pl.lit(None, TYPES.get(each, pl.Int64)).alias(each)
        for each in COLUMNS[name]
        if each not in given.columns
    )


def measured(name: Level, frame: pl.DataFrame, wanted: Sequence[str] = ()) -> list[tuple[Any, ...]]:
    """What the catalogue's measures of the level (or some) say of each user's month."""
    chosen = [each for each in PLAN.at(name) if not wanted or each.name in wanted]
    assert not wanted or [each.name for each in chosen] == list(wanted)
    made = [each.made.alias(each.name) for each in chosen]
    found = frame.group_by("user_id", "month").agg(made).sort("user_id", "month").drop("user_id", "month")
    assert set(found.dtypes) == {pl.Int64}
    return found.rows()


def at(text: str) -> int:
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )


def events(*told: tuple[int, str, str]) -> pl.DataFrame:
    rows = [(user, date.fromisoformat(f"{time[:7]}-01"), at(time), KINDS[kind]) for user, time, kind in told]
    return level("event", ("at", "kind"), rows).with_columns(favourite_matches=pl.lit(0, pl.Int64))


def test_kinds_are_counted_apart() -> None:
    frame = events(
        (1, "2023-07-01T00:00:00", "PLAY"),
        (1, "2023-07-01T00:00:01", "SKIP"),
        (1, "2023-07-01T00:00:01", "PLAY"),
        (1, "2023-07-01T00:00:02", "LIKE"),
        (1, "2023-08-01T00:00:00", "ADVERTISEMENT"),
        (2, "2023-07-05T00:00:00", "BUY_PREMIUM"),
    )
    assert measured("event", frame, ("ads", "plays", "skips", "likes")) == [
        (0, 2, 1, 1), (1, 0, 0, 0), (0, 0, 0, 0),
    ]  # fmt: skip


def test_first_and_last_event_and_days() -> None:
    frame = events(
        (1, "2023-07-31T23:59:59.999999", "LIKE"),
        (1, "2023-07-02T00:00:00", "PLAY"),
        (1, "2023-07-01T23:59:59.999999", "SKIP"),
        (1, "2023-07-02T12:00:00", "ADVERTISEMENT"),
        (2, "1969-12-31T23:59:59.999999", "PLAY"),
        (2, "1969-12-31T00:00:00", "PLAY"),
    )
    assert measured("event", frame, ("active_days", "first_event_us", "last_event_us")) == [
        (3, at("2023-07-01T23:59:59.999999"), at("2023-07-31T23:59:59.999999")),
        (1, at("1969-12-31T00:00:00"), -1),
    ]


@pytest.mark.parametrize(
    ("time", "night", "weekend"),
    [
        ("2023-07-05T05:59:59.999999", 1, 0),
        ("2023-07-05T06:00:00", 0, 0),
        ("2023-07-05T21:59:59.999999", 0, 0),
        ("2023-07-05T22:00:00", 1, 0),
        ("2023-07-07T12:00:00", 0, 0),
        ("2023-07-07T23:59:59.999999", 1, 0),
        ("2023-07-08T00:00:00", 1, 1),
        ("2023-07-09T23:59:59.999999", 1, 1),
        ("2023-07-10T00:00:00", 1, 0),
        ("1969-12-27T12:00:00", 0, 1),  # a Saturday, in numbers below zero
        ("1969-12-29T06:00:00", 0, 0),
    ],
)
def test_nights_and_weekends_are_half_open(time: str, night: int, weekend: int) -> None:
    wanted = ("night_plays", "weekend_plays")
    assert measured("event", events((1, time, "PLAY")), wanted) == [(night, weekend)]
    assert measured("event", events((1, time, "SKIP")), wanted) == [(0, 0)]


def test_the_last_seven_days_begin_at_their_first_microsecond() -> None:
    frame = events(
        (1, "2023-07-24T23:59:59.999999", "ADVERTISEMENT"),
        (1, "2023-07-25T00:00:00", "ADVERTISEMENT"),
        (1, "2023-07-25T00:00:00", "PLAY"),
        (1, "2023-07-31T23:59:59.999999", "ADVERTISEMENT"),
        (1, "2023-08-25T00:00:00", "ADVERTISEMENT"),
    )
    assert measured("event", frame, ("ads_last_7_days",)) == [(2,), (1,)]


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_every_attribute_is_added_up_where_it_is_known(attribute: str) -> None:
    plays = [
        (1, JULY, KINDS["PLAY"], 5),
        (1, JULY, KINDS["PLAY"], None),
        (1, JULY, KINDS["SKIP"], None),
        (1, JULY, KINDS["PLAY"], -2),
        (2, JULY, KINDS["PLAY"], None),
    ]
    wanted = (f"{attribute}_total", f"{attribute}_known")
    assert measured("event", level("event", ("kind", attribute), plays), wanted) == [(3, 2), (0, 0)]


def test_genres_that_are_favourites_and_the_popularity_of_their_plays() -> None:
    columns = ("kind", "favourite_matches", "popularity")
    rows = [
        (1, JULY, KINDS["PLAY"], 2, 70),
        (1, JULY, KINDS["PLAY"], 1, None),
        (1, JULY, KINDS["PLAY"], 0, 50),
        (1, JULY, KINDS["SKIP"], 0, None),
        (2, JULY, KINDS["PLAY"], 0, 9),
    ]
    wanted = (
        "favourite_plays", "favourite_matches", "favourite_popularity_total", "favourite_popularity_known"
    )  # fmt: skip
    assert measured("event", level("event", columns, rows), wanted) == [(2, 3, 70, 1), (0, 0, 0, 0)]


def test_gaps() -> None:
    columns = ("kind", "duration_ms", "since_play", "advert_run", "listened")
    rows = [
        (1, JULY, KINDS["PLAY"], 1000, None, None, 1_000_000),
        (1, JULY, KINDS["PLAY"], None, None, None, 30),
        (1, JULY, KINDS["PLAY"], 500, None, None, None),
        (1, JULY, KINDS["SKIP"], None, 30, None, None),
        (1, JULY, KINDS["SKIP"], None, 0, None, None),
        (1, JULY, KINDS["SKIP"], None, None, None, None),
        (1, JULY, KINDS["ADVERTISEMENT"], None, None, 1, None),
        (1, JULY, KINDS["ADVERTISEMENT"], None, None, 2, None),
        (1, AUGUST, KINDS["BUY_PREMIUM"], None, None, None, None),
    ]
    wanted = ("listened_us", "longest_ad_run", "listened_duration_ms", "skip_delay_us", "timed_skips")
    assert measured("gap", level("gap", columns, rows), wanted) == [
        (1_000_030, 2, 1000, 30, 2),
        (0, None, 0, 0, 0),
    ]


def test_sessions() -> None:
    rows = [(1, JULY, 10, 60), (1, JULY, 11, 0), (1, AUGUST, 11, 5)]
    frame = level("session", ("session_id", "length"), rows)
    assert measured("session", frame, ("sessions", "session_us")) == [(2, 60), (1, 5)]


def test_popularity_is_weighted_by_plays() -> None:
    rows = [(1, JULY, 3, 100), (1, JULY, 2, 0), (1, JULY, 7, None), (2, JULY, 1, None)]
    frame = level("popularity", ("plays", "prior_plays"), rows)
    assert measured("popularity", frame) == [(300, 5), (0, 0)]


def test_genres() -> None:
    columns = ("genre", "plays", "liked_plays", "tracks", "artists")
    rows = [
        (1, JULY, "rock", 2, 1, 2, 1),
        (1, JULY, "jazz", 1, 0, 1, 1),
        (1, JULY, None, 40, 5, 3, 0),
        (2, JULY, None, 1, 0, 0, 0),
    ]
    wanted = ("liked_plays", "artists", "different_tracks", "genre_plays", "genre_play_logs")
    assert measured("genre", level("genre", columns, rows), wanted) == [
        (6, 2, 6, 3, 2 * 69_314_718_056),  # ln 2 in units of 10^-11; ln 1 is 0
        (0, 0, 0, 0, 0),
    ]


def test_debuts() -> None:
    assert measured("debut", level("debut", (), [(1, JULY), (1, JULY), (2, AUGUST)])) == [(2,), (1,)]


def test_a_measure_of_the_user_reads_the_row() -> None:
    frame = level("user", ("first_event_at",), [(1, JULY, 17), (2, JULY, -3)])
    (debut,) = PLAN.at("user")
    assert frame.select(debut.made.alias(debut.name)).to_dict(as_series=False) == {"debut_us": [17, -3]}


@pytest.mark.parametrize(
    ("name", "columns", "row"),
    [
        ("popularity", ("plays", "prior_plays"), (2**32, 2**32)),
        ("genre", ("genre", "plays"), ("rock", 2**40)),
        ("genre", ("tracks",), (2**62,)),
    ],
)
def test_a_sum_of_products_beyond_64_bits_is_told(
    name: Level, columns: Sequence[str], row: tuple[Any, ...]
) -> None:
    frame = level(name, columns, [(1, JULY, *row), (1, JULY, *row)])
    with pytest.raises(InvalidOperationError, match="conversion from `i128` to `i64` failed"):
        measured(name, frame)


def test_groups_are_summed_over_groups() -> None:
    """12 ln 12 and 3 ln 3 in 10^-11."""
    columns = ("plays", "new", "favourite", "code")
    rows = [
        (1, JULY, 3, 0, 1, 70), (1, JULY, 12, 1, 0, 71), (1, JULY, 12, 1, 0, 72), (1, AUGUST, 1, 0, 1, 70),
        (2, JULY, 3, 1, 1, 70),
    ]  # fmt: skip
    names = [
        "favourite_group_plays",
        "group_plays",
        "groups",
        "group_play_logs",
        "top_group_plays",
        "new_groups",
        "top_group",
    ]
    assert measured("group", level("group", columns, rows), names) == [
        (3, 27, 3, 2 * 2_981_887_979_748 + 329_583_686_601, 12, 2, 71),
        (1, 1, 1, 0, 1, 0, 70),
        (3, 3, 1, 329_583_686_601, 3, 1, 70),
    ]


def test_languages_are_summed_over_languages() -> None:
    rows = [(1, JULY, 12, 0), (1, JULY, 3, 1), (2, JULY, 4, 0)]
    names = ["polish_plays", "language_plays", "top_language_plays", "languages"]
    assert measured("language", level("language", ("plays", "polish"), rows), names) == [
        (3, 15, 12, 2),
        (0, 4, 4, 1),
    ]


def test_no_level_is_left_untried() -> None:
    assert {each.level for each in PLAN.measures} == set(COLUMNS)
