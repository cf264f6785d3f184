"""Events and the catalogue as arrays, against plain Python."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.feed.catalogue import catalogue_of
from pozytywka_spark.feed.reading import LIKE, PLAY, SKIP, SMALL, buyers_of, listeners_of, small
from pozytywka_spark.feed.track_side import UNKNOWN_DAY

TRACKS = pl.DataFrame(
    [
        ("t3", "Łódź!", "a2", None),
        ("t1", "łódź", "a2", date(2023, 1, 1)),
        ("t2", "łódź", "a1", date(2023, 1, 1)),
        ("t4", None, "a1", date(2020, 5, 1)),
        ("t5", "x", "gone", date(2020, 5, 1)),
    ],
    schema={"id": pl.String, "name": pl.String, "id_artist": pl.String, "release_date": pl.Date},
    orient="row",
)
ARTISTS = pl.DataFrame(
    [("a1", ["rock", "pop"]), ("a2", None)],
    schema={"id": pl.String, "genres": pl.List(pl.String)},
    orient="row",
)
USERS = pl.DataFrame(
    [(3, "Kraków", ["pop"]), (1, None, None), (2, "Gdańsk", ["jazz", "rock"])],
    schema={"user_id": pl.Int64, "city": pl.String, "favourite_genres": pl.List(pl.String)},
    orient="row",
)
CATALOGUE = catalogue_of(TRACKS, ARTISTS, ["Kraków", "Gdańsk"], ["jazz", "rock", "pop"])


def test_the_catalogue_lies_by_track() -> None:
    assert CATALOGUE.track_id.tolist() == ["t1", "t2", "t3", "t4", "t5"]
    assert CATALOGUE.artist_id[CATALOGUE.artist].tolist() == ["a2", "a1", "a2", "a1", ""]
    assert CATALOGUE.genre.tolist() == ["jazz", "pop", "rock"]
    assert CATALOGUE.genres.tolist() == [[-1, -1], [2, 1], [-1, -1], [2, 1], [-1, -1]]
    assert CATALOGUE.song[0] == CATALOGUE.song[2]
    assert len(set(CATALOGUE.song.tolist())) == 4
    assert CATALOGUE.released_day[2] == UNKNOWN_DAY
    assert CATALOGUE.released_day[3] == (date(2020, 5, 1) - date(1970, 1, 1)).days


def test_users_lie_by_id_with_city_and_favourites() -> None:
    listeners = listeners_of(SMALL.to_frame(), USERS, CATALOGUE)
    assert listeners.user_id.tolist() == [1, 2, 3]
    assert listeners.city.tolist() == [-1, 0, 1]
    assert listeners.favourites.tolist() == [[-1, -1], [0, 2], [1, -1]]
    assert not len(listeners.listening.play_us)


def test_events_become_small() -> None:
    moment = datetime(2023, 5, 1, tzinfo=UTC)
    events = pl.DataFrame(
        [
            (1, 9, moment, "PLAY", "t2"),
            (1, 9, moment, "ADVERTISEMENT", None),
            (2, 9, moment, "BUY_PREMIUM", None),
            (1, 9, datetime(2023, 5, 2, tzinfo=UTC), "PLAY", "t2"),
            (1, 9, moment, "LIKE", "nothing"),
        ],
        schema={
            "user_id": pl.Int64,
            "session_id": pl.Int64,
            "event_time": pl.Datetime("us", "UTC"),
            "event_type": pl.String,
            "track_id": pl.String,
        },
        orient="row",
    )
    index = pl.DataFrame({"track_id": CATALOGUE.track_id}).with_row_index("track")
    at = 1_682_899_200_000_000
    got = small(events, index, at + 86_400_000_000)
    assert got.rows() == [(1, 9, at, 0, 1), (1, 9, at, 4, -1), (2, 9, at, 3, -1), (1, 9, at, 2, -1)]
    assert got.schema == SMALL
    assert buyers_of(got).tolist() == [2]


@pytest.mark.thorough
@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.integers(1, 2),
            st.integers(0, 5),
            st.sampled_from([PLAY, PLAY, SKIP, LIKE]),
            st.integers(0, 2),
        ),
        max_size=25,
        unique_by=lambda row: (row[0], row[2], row[3] == PLAY),
    )
)
def test_a_play_is_skipped_by_the_next_skip_of_its_session(
    rows: list[tuple[int, int, int, int, int]],
) -> None:
    expected, liked = [], []
    by_time = sorted(rows, key=lambda row: (row[2], row[3] == PLAY))
    for at, (user, session, time, kind, track) in enumerate(by_time):
        if kind == LIKE:
            liked.append((user, time, track))
        if kind != PLAY:
            continue
        skipped = False
        for who, where, _, what, which in by_time[at + 1 :]:
            if (who, where) != (user, session):
                continue
            if what == PLAY:
                break
            skipped = skipped or (what == SKIP and which == track)
        expected.append((user, time, track, skipped))
    frame = pl.DataFrame(rows, schema=SMALL, orient="row")
    listening = listeners_of(frame, USERS, CATALOGUE).listening
    got = zip(
        (listening.play_user + 1).tolist(),
        listening.play_us.tolist(),
        listening.play_track.tolist(),
        listening.play_skipped.tolist(),
        strict=True,
    )
    assert list(got) == sorted(expected)
    assert (listening.play_finished == ~listening.play_skipped).all()
    likes = zip(
        (listening.like_user + 1).tolist(),
        listening.like_us.tolist(),
        listening.like_track.tolist(),
        strict=True,
    )
    assert list(likes) == sorted(liked)
    assert np.all(np.diff(listening.play_user) >= 0)
