"""The catalogue in whole numbers."""

from __future__ import annotations

import hashlib
from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pozytywka_spark.features.build.contents import READ, contents_digest
from pozytywka_spark.features.build.dimensions import (
    Dimensions,
    no_tracks,
    no_users,
    track_dimension,
    user_dimension,
    vocabulary_of,
)
from pozytywka_spark.features.declared.arithmetic import fixed_point
from pozytywka_spark.names import AUDIO_FEATURES
from tests.worlds.month_world import catalogue

HALF = 5 * 10**12


def test_tracks_are_numbered_in_the_order_of_ids_with_what_is_known_of_them() -> None:
    tables = catalogue()
    vocabulary = vocabulary_of(tables["users"])
    assert vocabulary == ["jazz", "polka", "rock"]
    shuffled = tables["tracks"].reverse()
    found = track_dimension(shuffled, tables["artists"], tables["track_storage"], vocabulary)
    audio = {
        name: [5 * 10**9 if name == "tempo" else 5 * 10**10 if name == "loudness" else HALF] * 2 + [None]
        for name in AUDIO_FEATURES
    }
    assert_frame_equal(
        found,
        pl.DataFrame(
            {
                "track": pl.Series([0, 1, 2], dtype=pl.UInt32),
                "place": pl.Series([2, 1, 0], dtype=pl.UInt32),
                "artist": pl.Series([0, 1, None], dtype=pl.UInt32),
                "genre": pl.Series([1, 0, None], dtype=pl.UInt32),  # rock, polka: by name
                "track_id": ["t1", "t2", "t3"],
                "artist_id": ["a1", "a2", None],
                "popularity": [10, 20, None],
                "duration_ms": [60_000, 100_000, None],
                "explicit": [1, 0, None],
                "release_seconds": [86_400, -86_400, None],
                "name_length": [3, 5, None],
                **audio,
                "daily_cost": [25 * 10**12, None, None],
                "slow": [0, None, None],
                "medium": [0, None, None],
                "fast": [1, None, None],
                "track_genres_0": pl.Series([0b101, 0b010, 0], dtype=pl.UInt64),
            }
        ),
        check_column_order=False,
    )


def test_a_user_is_there_with_favourites_only() -> None:
    users = catalogue()["users"].reverse()
    assert_frame_equal(
        user_dimension(users, vocabulary_of(users)),
        pl.DataFrame({"user_id": [1, 2], "user_genres_0": pl.Series([0b101, 0b010], dtype=pl.UInt64)}),
    )


def test_a_genre_listed_twice_is_one_and_an_unknown_one_none() -> None:
    artists = pl.DataFrame(
        {"id": ["a1", "a2"], "genres": [["jazz", "jazz", "noise"], []]}, schema=READ["artists"]
    )
    tables = catalogue()
    found = track_dimension(tables["tracks"], artists, tables["track_storage"], ["jazz", "rock"])
    assert found["track_genres_0"].to_list() == [0b01, 0, 0]
    assert found["genre"].to_list() == [0, None, None]
    # no genre first, and there no artist last: as plays are added up
    assert found["place"].to_list() == [2, 0, 1]


def test_more_genres_than_a_word_has_bits_take_another_word() -> None:
    names = [f"g{number:03}" for number in range(130)]
    users = pl.DataFrame({"user_id": [1], "favourite_genres": [["g000", "g063", "g064", "g129"]]})
    tracks = catalogue()
    found = user_dimension(users, names)
    assert found.rows() == [(1, 1 | 1 << 63, 1, 0b10)]
    dimension = track_dimension(tracks["tracks"], tracks["artists"], tracks["track_storage"], names)
    assert [name for name in dimension.columns if name.startswith("track_genres")] == [
        "track_genres_0", "track_genres_1", "track_genres_2"
    ]  # fmt: skip
    assert Dimensions(dimension, found).words == 3


def test_rows_without_an_id_are_nobodys() -> None:
    tables = catalogue()
    with_null = {
        "tracks": pl.concat([tables["tracks"], tables["tracks"].head(1).with_columns(id=None)]),
        "artists": pl.concat([tables["artists"], pl.DataFrame({"id": [None], "genres": [["jazz"]]})]),
        "track_storage": pl.concat(
            [tables["track_storage"], tables["track_storage"].with_columns(track_id=None, daily_cost=9.0)]
        ),
        "users": pl.concat([tables["users"], tables["users"].head(1).with_columns(user_id=None)]),
    }
    for name in ("tracks", "artists", "track_storage"):
        with_null[name] = with_null[name].cast(READ[name])
    words = vocabulary_of(tables["users"])
    others = [tables["artists"], tables["track_storage"], words]
    assert_frame_equal(
        track_dimension(with_null["tracks"], with_null["artists"], with_null["track_storage"], words),
        track_dimension(tables["tracks"], *others),
    )
    assert_frame_equal(user_dimension(with_null["users"], words), user_dimension(tables["users"], words))


def test_an_empty_catalogue_has_the_columns_of_any_other() -> None:
    tables = catalogue()
    tracks = track_dimension(tables["tracks"], tables["artists"], tables["track_storage"], [])
    assert no_tracks().schema == tracks.schema
    assert no_users().schema == user_dimension(tables["users"], []).schema


def test_real_numbers_are_rounded_half_to_even() -> None:
    values = pl.DataFrame({"value": [0.25, 0.35, -0.25, 0.05, -0.15, 0.149, None]})
    assert values.select(fixed_point(pl.col("value"), 1)).to_series().to_list() == [2, 4, -2, 0, -2, 1, None]


def test_a_number_that_no_whole_number_holds_is_refused() -> None:
    for value in (float("nan"), float("inf"), 1e300):
        with pytest.raises(pl.exceptions.InvalidOperationError):
            pl.DataFrame({"value": [value]}).select(fixed_point(pl.col("value"), 1))


ROWS = pl.DataFrame(
    {
        "id": ["a", "b", None],
        "number": [1, None, -1],
        "real": [0.1, -0.0, None],
        "flag": [True, None, False],
        "day": [date(1970, 1, 2), None, date(1969, 12, 31)],
        "texts": [["x", None], [], None],
    }
)


def test_a_digest_depends_on_rows_alone() -> None:
    assert contents_digest(ROWS) == contents_digest(ROWS.reverse())
    assert contents_digest(ROWS) == contents_digest(pl.concat([ROWS.tail(1), ROWS.head(2)]))


def test_a_digest_is_that_of_the_stated_text() -> None:
    lines = [
        "id;number;real;flag;day;texts",
        "-;-1;-;0;-1;-",
        "1:a;1;4591870180066957722;1;1;2[1:x;-]",  # 0.1 is 0x3FB999999999999A
        "1:b;-;-9223372036854775808;-;-;0[]",  # -0.0 has the sign's bit only
    ]
    assert contents_digest(ROWS) == hashlib.sha256("\n".join(lines).encode()).hexdigest()


@pytest.mark.parametrize(
    "changed",
    [
        ROWS.with_columns(id=pl.Series(["a", "c", None])),
        ROWS.with_columns(number=pl.Series([1, 0, -1])),
        ROWS.with_columns(real=pl.Series([0.1, 0.0, None])),
        ROWS.with_columns(real=pl.Series([0.1 + 2**-56, -0.0, None])),
        ROWS.with_columns(flag=pl.Series([True, False, False])),
        ROWS.with_columns(day=pl.Series([date(1970, 1, 2), None, date(1969, 12, 30)])),
        ROWS.with_columns(texts=pl.Series([["x", ""], [], None])),
        ROWS.with_columns(texts=pl.Series([["x", None], None, None])),
        ROWS.with_columns(texts=pl.Series([["x;-"], [], None])),
        ROWS.rename({"number": "count"}),
        ROWS.head(2),
        pl.concat([ROWS, ROWS.head(1)]),
    ],
)
def test_another_digest_for_whatever_changes(changed: pl.DataFrame) -> None:
    assert contents_digest(changed) != contents_digest(ROWS)
