"""`bandit_days` by changed day is what a full sum gives, whatever comes in which order; events reward."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.bandits.sum_days import read_books, sum_days
from pozytywka_spark.bandits.take_in import take_in
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.schemas import BANDIT_DAYS, EVENTS
from tests.bandits.made_log import START, lines, slots, write

KEYS = list(BANDIT_DAYS.keys)
VALUES = [name for name in BANDIT_DAYS.columns if name not in (*KEYS, "month")]


def with_slot(settings: Settings, **changed: Any) -> Settings:
    return load_settings("local", [f"home={settings.home}", slots(**changed), "data.end=2024-01-09"])


def sums(lake: Lake) -> pl.DataFrame:
    rows = pl.from_arrow(lake.rows(BANDIT_DAYS.name))
    assert isinstance(rows, pl.DataFrame)
    return rows.sort(KEYS)


def assert_full(settings: Settings, lake: Lake) -> None:
    """Summed by changed day, the table is what it is when nothing had been summed."""
    stepwise = sums(lake)
    sum_days(settings, lake, full=True)
    whole = sums(lake)
    assert stepwise.select(KEYS).equals(whole.select(KEYS))
    ours, theirs = (each.select(VALUES).to_numpy().astype(float) for each in (stepwise, whole))
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=0)


def purchases(rows: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Events of some of the log's users, some hours after a decision."""
    rng = random.Random(seed)
    found = []
    for number, row in enumerate(rows):
        if rng.random() < 0.3:
            at = datetime.fromisoformat(row["decided_at"]) + timedelta(hours=rng.uniform(-2, 40))
            found.append(
                {
                    "event_id": bytes([seed, number % 256, number // 256]),
                    "event_time": at,
                    "event_type": "BUY_PREMIUM" if rng.random() < 0.7 else "PLAY",
                    "user_id": row["user_id"],
                    "session_id": 1,
                    "track_id": "",
                    "repaired": False,
                    "event_month": at.date().replace(day=1),
                    "user_bucket": 0,
                }
            )
    return found


@pytest.mark.parametrize("reward", ["logged", "BUY_PREMIUM"])
@pytest.mark.parametrize("buckets", [1, 3])
def test_day_by_day_is_what_a_full_sum_gives(
    spark: SparkSession, settings: Settings, tmp_path: Path, reward: str, buckets: int
) -> None:
    settings = with_slot(settings, reward=reward, window_hours=30)
    bandits = settings.bandits.model_copy(update={"buckets": buckets})
    settings = settings.model_copy(update={"bandits": bandits})
    lake = open_lake(settings, spark)
    rows = lines(900, 8, days_since=None)
    lake.append(as_table(purchases(rows, 1), EVENTS), EVENTS)
    for number in (2, 0, 1):  # a third of all, the last first
        part = [row for place, row in enumerate(rows) if place * 3 // len(rows) == number]
        take_in(settings, lake, str(write(tmp_path / f"{number}.jsonl", part)))
        assert not sum_days(settings, lake).unchanged
        assert sum_days(settings, lake).unchanged
    if reward != "logged":
        lake.append(as_table(purchases(rows[:200], 2), EVENTS), EVENTS)
        summed = sum_days(settings, lake).days
        assert START.date() in summed
        assert START.date() + timedelta(days=6) not in summed  # nothing happened there
    assert sums(lake).get_column("chosen_reward").sum() > 0
    assert_full(settings, lake)


def test_only_the_days_that_changed(spark: SparkSession, settings: Settings, tmp_path: Path) -> None:
    settings = with_slot(settings)
    lake = open_lake(settings, spark)
    rows = lines(400, 8, days_since=[1.0, 2.0], eligible=["plain", "trial"], chosen="trial",
                 probabilities=[0.5, 0.5], probability=0.5)  # fmt: skip
    take_in(settings, lake, str(write(tmp_path / "log.jsonl", rows)))
    assert len(sum_days(settings, lake).days) == 8
    late = [{**rows[0], "decision_id": "late", "decided_at": "2024-01-03T12:00:00Z"}]
    take_in(settings, lake, str(write(tmp_path / "late.jsonl", late)))
    assert [f"{day}" for day in sum_days(settings, lake).days] == ["2024-01-03"]
    books = read_books(lake)
    assert sum(row["decisions"] for row in books.values()) == 401
    assert {row["history"] for row in books.values()} == {None}
    assert_full(settings, lake)


def test_days_since_worked_out_from_the_log_follow_what_came_before(
    spark: SparkSession, settings: Settings, tmp_path: Path
) -> None:
    """A decision of the first day that comes late changes what later days say of `seen`."""
    settings = with_slot(settings)
    lake = open_lake(settings, spark)
    rows = lines(300, 4)
    take_in(settings, lake, str(write(tmp_path / "log.jsonl", rows)))
    sum_days(settings, lake)
    late = [{**rows[0], "decision_id": "late", "decided_at": "2024-01-01T00:00:01Z"}]
    take_in(settings, lake, str(write(tmp_path / "late.jsonl", late)))
    assert len(sum_days(settings, lake).days) == 4
    assert_full(settings, lake)


def test_what_is_not_over_does_not_count(spark: SparkSession, settings: Settings, tmp_path: Path) -> None:
    settings = with_slot(settings, reward="BUY_PREMIUM", window_hours=24)
    lake = open_lake(settings, spark)
    rows = lines(300, 10)
    lake.append(as_table(purchases(rows, 1), EVENTS), EVENTS)
    take_in(settings, lake, str(write(tmp_path / "log.jsonl", rows)))
    sum_days(settings, lake)
    end = datetime(2024, 1, 9, tzinfo=UTC)
    over = [row for row in rows if datetime.fromisoformat(row["decided_at"]) + timedelta(hours=24) <= end]
    assert sum(row["mature"] for row in read_books(lake).values()) == len(over)
    assert sums(lake).get_column("rounds").sum() == sum(len(row["eligible"]) for row in over)
