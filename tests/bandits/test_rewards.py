"""Rewards and days since, beside what a loop over decisions says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.bandits.days_since import ShownBefore, with_days_since
from pozytywka_spark.bandits.last_shown import LastShown
from pozytywka_spark.bandits.rewards import with_rewards
from pozytywka_spark.months import as_micros

START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = 3_600_000_000
WHO = st.integers(1, 3)
WHEN = st.integers(0, 60)  # hours, so that ties happen


def at(hours: int) -> datetime:
    return START + timedelta(hours=hours)


def decisions(who_when: list[tuple[int, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "user_id": [user for user, _ in who_when],
            "decided_at": [at(hours) for _, hours in who_when],
        },
        schema={"user_id": pl.Int64, "decided_at": pl.Datetime("us", "UTC")},
    )


@pytest.mark.thorough
@given(
    st.lists(st.tuples(WHO, WHEN), min_size=1, unique=True),
    st.lists(st.tuples(WHO, WHEN)),
    st.integers(1, 30),
    st.integers(20, 90),
)
def test_rewards_are_those_of_a_loop(
    decided: list[tuple[int, int]], events: list[tuple[int, int]], window: int, end: int
) -> None:
    mine = [each for each in decided if each[1] < 48]
    later = [each for each in decided if each[1] >= 48]
    earned = pl.DataFrame(
        {"user_id": [user for user, _ in events], "at": [as_micros(at(hours)) for _, hours in events]},
        schema={"user_id": pl.Int64, "at": pl.Int64},
    )
    told = with_rewards(decisions(mine), decisions(later), earned, window * HOUR, as_micros(at(end)))
    expected = []
    for user, hours in mine:
        following = [other for who, other in decided if who == user and other > hours]
        until = min([hours + window, *following])
        is_rewarded = any(who == user and hours <= when < until for who, when in events)
        expected.append(float(is_rewarded) if hours + window <= end else None)
    assert told.get_column("reward").to_list() == expected


@pytest.mark.thorough
@given(st.lists(st.tuples(WHO, WHEN, st.sampled_from("abc")), min_size=1))
def test_days_since_are_those_of_a_loop(decided: list[tuple[int, int, str]]) -> None:
    rows = decisions([(user, hours) for user, hours, _ in decided]).with_columns(
        pl.Series("chosen", [arm for *_, arm in decided]),
        pl.Series("eligible", [["a", "b", "c"]] * len(decided)),
        pl.lit(None, pl.List(pl.Float64)).alias("days_since"),
    )
    early = [each for each in decided if each[1] < 24]
    before = rows.filter(pl.Series([hours < 24 for _, hours, _ in decided]))
    today = rows.filter(pl.Series([hours >= 24 for _, hours, _ in decided]))
    shown = ShownBefore()
    for part in range(2):
        shown.add(before.gather_every(2, part))
    told = shown.with_days_since(today)
    expected = []
    for user, hours, _ in [each for each in decided if each not in early]:
        days = []
        for arm in "abc":
            shown = [when for who, when, what in decided if (who, what) == (user, arm) and when < hours]
            days.append((hours - max(shown)) / 24 if shown else None)
        expected.append(days)
    assert told.get_column("days_since").to_list() == expected


@pytest.mark.thorough
@given(st.lists(st.tuples(WHO, WHEN, st.sampled_from("abc")), min_size=1), st.integers(1, 4))
def test_the_last_time_of_all_users_at_once(decided: list[tuple[int, int, str]], files: int) -> None:
    rows = decisions([(user, hours) for user, hours, _ in decided]).with_columns(
        pl.Series("chosen", [arm for *_, arm in decided])
    )
    users, arms = [1, 2, 4], ["b", "a"]  # some of those logged, and one who isn't
    shown = LastShown(np.array(users), arms)
    for part in range(files):
        shown.add(rows.gather_every(files, part))
    eligible = pl.Series([["a", "b"], ["b"], ["a"]])
    told = shown.days_since(eligible, as_micros(at(72)))
    times = {
        (who, arm): max([when for user, when, what in decided if (user, what) == (who, arm)], default=None)
        for who in users
        for arm in arms
    }
    expected = [
        [None if times[who, arm] is None else (72 - times[who, arm]) / 24 for arm in mine]
        for who, mine in zip(users, eligible.to_list(), strict=True)
    ]
    assert told.to_list() == expected


def test_days_that_were_said_stay() -> None:
    rows = decisions([(1, 30)]).with_columns(
        pl.lit("a").alias("chosen"),
        pl.Series("eligible", [["a", "b"]]),
        pl.Series("days_since", [[None, 3.5]]),
    )
    assert with_days_since(rows).get_column("days_since").to_list() == [[None, 3.5]]


def test_what_was_said_counts_as_shown_and_users_may_be_names() -> None:
    rows = pl.DataFrame(
        {
            "user_id": ["x", "x", "y", "x"],
            "decided_at": [at(0), at(12), at(24), at(24)],
            "chosen": ["a", "b", "a", "a"],
            "eligible": [["a", "b"], ["b"], None, ["b", "a"]],
            "days_since": [None, [7.0], None, None],
        }
    )
    told = with_days_since(rows)
    assert told.get_column("days_since").to_list() == [[None, None], [7.0], None, [0.5, 1.0]]
    assert told.drop("days_since").equals(rows.drop("days_since"))
