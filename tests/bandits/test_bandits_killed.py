"""A day's work dies before or after its writes, to lake and registry; run again it ends the same."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.bandits.daily import daily
from pozytywka_spark.bandits.policies import tracking_of
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.schemas import USERS
from pozytywka_spark.tracking import registry
from tests.bandits.made_log import START, lines, slots, write
from tests.breaking_lake import BreakingLake, BrokenError
from tests.moderation.world import contents

TABLES = ("slot_decisions", "slot_decisions_aside", "bandit_days", "bandit_evaluations", "bandit_plan")
WRITES = (
    "slot_decisions", "slot_decisions", "slot_decisions_aside", "bandit_days", "bandit_books",
    "bandit_evaluations", "bandit_plan",
)  # fmt: skip
MOVES = ("register", "set_alias", "set_tag")  # of the registry
DAY = START.date().replace(day=7)


def home(settings: Settings, name: str, spark: SparkSession) -> tuple[Settings, Any]:
    mine = load_settings("local", [f"home={settings.home}/{name}", slots(), "bandits.min_effective=100"])
    lake = open_lake(mine, spark)
    people = [{"user_id": user, "city": "north", "premium_user": False} for user in range(1, 50)]
    lake.overwrite(as_table(people, USERS), USERS)
    return mine, lake


def test_killed_at_each_write(
    spark: SparkSession, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = lines(1500, 6)
    log = str(write(Path(settings.home) / "log.jsonl", [*rows, {**rows[0], "group": "other"}]))

    whole, lake = home(settings, "whole", spark)
    counting = BreakingLake(lake)
    daily(whole, counting, DAY, log)
    assert tuple(counting.tables) == WRITES
    expected = contents(lake, *TABLES)
    again = BreakingLake(lake)
    daily(whole, again, DAY, log)
    assert contents(lake, *TABLES) == expected
    assert not {"slot_decisions", "slot_decisions_aside", "bandit_days"} & set(again.tables)

    killed, other = home(settings, "killed", spark)
    # what is done stays done, so each further run has fewer writes before the next
    for place in range(1, len(WRITES) + 1):
        after = place % 2 == 0
        dies(lambda place=place, after=after: daily(killed, BreakingLake(other, place, after), DAY, log))
    for name, after in zip(MOVES, (True, False, True), strict=True):
        with monkeypatch.context() as patch:
            patch.setattr(registry, name, breaking(getattr(registry, name), after=after))
            dies(lambda: daily(killed, other, DAY, log))
    daily(killed, other, DAY, log)
    assert contents(other, *TABLES) == expected
    champion = registry.aliased(tracking_of(killed, "prompt"), registry.CHAMPION)
    assert champion is not None
    assert champion.number == 1


def dies(work: Callable[[], object]) -> None:
    """Or ends, if what it would have died at was done before."""
    with contextlib.suppress(BrokenError):
        work()


def breaking(real: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if after:
            real(*args, **kwargs)
        raise BrokenError

    return call
