"""Killed at random moments, or two at once: the online store ends as the lake is, and never the older way."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.featurestore.verify import verify
from tests.featurestore.load_once import work
from tests.featurestore.small_lake import SmallLake, month
from tests.featurestore.test_materialize import load, same, small_lake
from tests.forked import Forked, forked
from tests.jars import delta_overrides

VIEW = "user_month"
USERS = 300
TIMES = [
    (2, "delta-rs"),
    pytest.param(10, "delta-rs", marks=pytest.mark.nightly),
    pytest.param(10, "delta-spark", marks=[pytest.mark.nightly, pytest.mark.jvm]),
]


@contextmanager
def loading(small: SmallLake, *, full: bool) -> Iterator[Forked]:
    """A process that waits to be told to load."""
    overrides = [f"home={small.settings.home}", f"lake.engine={small.settings.lake.engine}"]
    if small.settings.lake.engine == "delta-spark":
        overrides += delta_overrides()
    with forked(work, overrides, full) as one:
        assert one.hear() == "ready"
        yield one


def change(small: SmallLake, dice: random.Random) -> None:
    """What may happen to a lake: a new month, an old one changed, the newest deleted, users come and go."""
    months = sorted({row["month"] for row in small.lake.rows("features", ["month"]).to_pylist()})
    users = dice.sample(range(1, 3 * USERS), dice.randrange(1, USERS))
    kind = dice.choice(["new", "old", "newest", "gone"])
    if kind == "new" or len(months) < 2:
        small.put_features({month(len(months) + dice.randrange(3)): users})
    elif kind == "gone":
        small.put_features({months[-1]: []})
    else:
        small.put_features({months[0] if kind == "old" else months[-1]: users})


def checked(small: SmallLake) -> None:
    """By verify, and by the oracle."""
    assert {each.view: each.kinds for each in verify(small.settings, small.lake, views=[VIEW])} == {VIEW: {}}
    same(small, VIEW)


@pytest.mark.parametrize(("times", "engine"), TIMES)
def test_killed_at_random_moments(spark: SparkSession, tmp_path: Path, times: int, engine: str) -> None:
    dice = random.Random(times)
    small = small_lake(spark, tmp_path, engine)
    small.put_features({month(0): range(USERS), month(1): range(100, 100 + USERS)})
    started = time.monotonic()
    load(small, VIEW)
    whole = time.monotonic() - started
    for number in range(times):
        change(small, dice)
        with loading(small, full=dice.random() < 0.3) as one:
            one.tell("go")
            time.sleep(dice.random() * whole)
            one.kill()
        if number % 2:
            change(small, dice)
        load(small, VIEW)
        checked(small)


@pytest.mark.parametrize(("times", "engine"), TIMES)
def test_two_at_once(spark: SparkSession, tmp_path: Path, times: int, engine: str) -> None:
    dice = random.Random(times)
    small = small_lake(spark, tmp_path, engine)
    small.put_features({month(0): range(USERS)})
    load(small, VIEW)
    for _ in range(times):
        change(small, dice)
        with loading(small, full=False) as one, loading(small, full=dice.random() < 0.3) as other:
            one.tell("go")
            time.sleep(dice.random() * 0.05)
            change(small, dice)
            other.tell("go")
            outcomes = [one.hear(), other.hear()]
        # who begins last is never overtaken; what is there is whole at the version that it read
        assert any("version" in each for each in outcomes)
        (verified,) = verify(small.settings, small.lake, views=[VIEW])
        assert verified.kinds == {}
        assert verified.version == max(each.get("version", 0) for each in outcomes)
        load(small, VIEW)
        checked(small)
