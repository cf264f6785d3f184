"""What was passed over, against plain Python."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.feed.arrange.memory import EVENTS, FEED, HIGH, SEEN, times_passed

CUT_OFF = date(2023, 5, 10)
DAY_NUMBER = st.integers(-5, 1)
USER, TRACK = st.integers(1, 2), st.sampled_from(["a", "b", "c"])


def _day(number: int) -> date:
    return CUT_OFF + timedelta(days=number)


@pytest.mark.thorough
@given(
    st.dictionaries(st.tuples(USER, DAY_NUMBER, TRACK), st.integers(8, 12), max_size=20),
    st.lists(st.tuples(USER, TRACK, DAY_NUMBER), max_size=6),
    st.lists(st.tuples(USER, TRACK, DAY_NUMBER, st.sampled_from(["PLAY", "SKIP"])), max_size=8),
)
def test_passed_over_is_seen_high_and_not_played_since(
    feed: dict[tuple[int, int, str], int],
    seen: list[tuple[int, str, int]],
    events: list[tuple[int, str, int, str]],
) -> None:
    expected: dict[tuple[int, str], int] = {}
    for (user, number, track), position in feed.items():
        if not -3 <= number < 0 or position > HIGH:
            continue
        said = [one for one in seen if one[0] == user and one[2] == number]
        was_there = any(one[0] == user and one[2] == number for one in events)
        saw = (user, track, number) in said if said else was_there
        played = any(
            (who, what) == (user, track) and number <= when < 0 and kind == "PLAY"
            for who, what, when, kind in events
        )
        if saw and not played:
            expected[user, track] = expected.get((user, track), 0) + 1
    got = times_passed(
        pl.DataFrame([(u, _day(n), p, t) for (u, n, t), p in feed.items()], schema=FEED, orient="row"),
        pl.DataFrame([(u, t, _day(n)) for u, t, n in seen], schema=SEEN, orient="row"),
        pl.DataFrame([(u, t, _day(n), k) for u, t, n, k in events], schema=EVENTS, orient="row"),
        CUT_OFF,
    )
    assert {(row["user_id"], row["track_id"]): row["times"] for row in got.to_dicts()} == expected
