"""What was done at the moment of a question, against plain Python."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.feed.listening import Listeners, Listening
from pozytywka_spark.feed.prepare_work import Batch
from pozytywka_spark.feed.survey_work import deeds_of
from pozytywka_spark.months import HOUR_MICROS

TRACK_ID = np.array(["a", "b"], dtype=object)
USERS = np.array([101, 102])
HOURS = st.integers(0, 40)


@pytest.mark.thorough
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), HOURS, st.booleans()), max_size=15),
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), HOURS), max_size=5),
    st.lists(st.tuples(st.integers(101, 103), st.integers(0, 1), HOURS), max_size=5, unique=True),
)
def test_deeds_are_those_of_the_day_before_the_question(
    plays: list[tuple[int, int, int, bool]],
    likes: list[tuple[int, int, int]],
    asked: list[tuple[int, int, int]],
) -> None:
    expected = []
    for user, track, hour in sorted(asked, key=lambda one: (one[0], one[2], one[1])):
        near = [
            skipped
            for who, what, when, skipped in plays
            if (USERS[who], what) == (user, track) and hour - 24 <= when < hour
        ]
        liked = any(
            (USERS[who], what) == (user, track) and hour - 24 <= when < hour for who, what, when in likes
        )
        if user in USERS:
            expected.append((user, 3, not all(near), any(near), liked, len(near) > 1))
    user, track, hour, skipped = np.array(sorted(plays), np.int64).reshape(-1, 4).T
    like_user, like_track, like_hour = np.array(sorted(likes), np.int64).reshape(-1, 3).T
    listening = Listening(
        user,
        track,
        hour * HOUR_MICROS,
        skipped == 0,
        skipped == 1,
        like_user,
        like_track,
        like_hour * HOUR_MICROS,
    )
    listeners = Listeners(USERS, np.zeros(2, np.int64), np.full((2, 1), -1), listening)
    frame = pl.DataFrame(
        [(who, str(TRACK_ID[what]), when * HOUR_MICROS, 3) for who, what, when in asked],
        schema={"user_id": pl.Int64, "track_id": pl.String, "asked_at": pl.Int64, "answer": pl.Int32},
        orient="row",
    )
    got = deeds_of(frame, Batch(listeners, np.zeros(0, np.int64), pl.DataFrame()), TRACK_ID)
    assert got.rows() == expected
