"""Runs over tables: an independent replay's, the same in steps and after any death, nothing from shadow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.moderation.run import RunReport, run
from pozytywka_spark.moderation.stage import take_answers, take_appeals
from pozytywka_spark.months import as_micros, as_moment
from tests.breaking_lake import CopiedLake
from tests.moderation.world import OUTCOME, answers, appeals, case, contents, day, play, put

HOUR, DAY = 3_600_000_000, 86_400_000_000
START = as_micros(day(0))


def in_lake(settings: Settings, name: str) -> Settings:
    root = f"{settings.home}/{name}"
    return settings.model_copy(update={"lake": settings.lake.model_copy(update={"root": root})})


def up_to(settings: Settings, lake: Any, until: float) -> RunReport:
    return run(settings, lake, as_micros(day(until)), asked=True)


def a_few(lake: Lake) -> None:
    """Two accounts that cheat, a ring, a group in which silence means ok."""
    put(
        lake,
        schemas.CASES,
        case("a", 1, 0),
        case("b", 1, 3),
        case("c", 1, 6),
        case("s", 2, 0, group="quick"),
        case("t", 2, 1, group="quick"),
        case("r", [2, 3], 30, group="rings", ring="2"),
    )
    put(lake, schemas.EVENTS, *(play(user, number + 0.5) for user in (1, 2, 3) for number in range(70)))


QUIET = {"moderation": {"silence_days": {"quick": 5}}}


def quiet(settings: Settings) -> Settings:
    chosen = settings.moderation.model_copy(update=QUIET["moderation"])
    return settings.model_copy(update={"moderation": chosen})


FIRST = answers(
    ("a", "Ann", "bad", 2), ("b", "Ann", "bad", 4.5), ("c", "Ben", "bad", 8), ("t", "chargeback", "bad", 4)
)
SECOND = answers(("r", "Ben", "bad", 40))
APPEALS = appeals((1, "b", 5, "Cat", "upheld", 9), (3, "r", 41, None, None, None))


def test_steps_and_one_run_come_to_the_same(spark: SparkSession, settings: Settings) -> None:
    told = []
    for name, ends in [("one", [60]), ("steps", [3, 8, 8.5, 30, 60])]:
        own = quiet(in_lake(settings, name))
        lake = open_lake(own, spark)
        a_few(lake)
        for chunk in (FIRST, SECOND):
            take_answers(lake, chunk)
        take_appeals(lake, APPEALS)
        for until in ends:
            up_to(own, lake, until)
        told.append(contents(lake, *(name for name in OUTCOME)))
    assert told[0] == told[1]
    fouls = {
        (row["user_id"], row["case_id"], row["step"], row["cancelled"], row["recorded_at"])
        for row in told[0]["fouls"]
    }
    assert fouls == {
        (1, "a", 1, False, day(2)),
        (1, "b", 2, False, day(4.5)),
        (1, "c", 3, False, day(8)),
        (1, "b", 2, True, day(9)),
        (1, "c", 2, False, day(9)),
        (2, "t", 1, False, day(4)),
        (2, "r", 2, False, day(40)),
        (3, "r", 1, False, day(40)),
    }
    assert {(row["case_id"], row["ends_at"], row["recorded_at"]) for row in told[0]["blocks"]} == {
        ("b", day(5.5), day(4.5)),
        ("c", day(15), day(8)),
        ("c", day(9), day(9)),
        ("r", day(41), day(40)),
    }
    silent = [row for row in told[0]["verdicts"] if row["source"] == "silence"]
    assert [(row["case_id"], row["verdict"], row["decided_at"]) for row in silent] == [("s", "ok", day(6))]
    cleared = [row for row in told[0]["verdicts"] if row["source"] == "appeal"]
    assert [(row["case_id"], row["reviewer"], row["decided_at"]) for row in cleared] == [("b", "Cat", day(9))]
    # days 0 and 6 of account 1, day 1 and the ring's last of 2, the ring's last of 3
    assert sum(row["plays"] for row in told[0]["discounted_plays"]) == 5


def test_what_came_too_late_counts_from_the_instant_after(spark: SparkSession, settings: Settings) -> None:
    lake = open_lake(settings, spark)
    a_few(lake)
    take_answers(lake, answers(("b", "Ann", "bad", 4.5)))
    up_to(settings, lake, 20)
    before = contents(lake, "fouls", "blocks")
    take_answers(lake, answers(("a", "Ann", "bad", 2), ("b", "Ben", "ok", 4)))
    take_appeals(lake, appeals((1, "b", 5, "Cat", "upheld", 6)))
    again = up_to(settings, lake, 20)
    assert (again.unchanged, again.late) == (True, 2)
    assert contents(lake, "fouls", "blocks") == before
    up_to(settings, lake, 21)
    after = contents(lake, "fouls", "blocks")
    instant = as_moment(as_micros(day(20)) + 1)
    assert [row for row in after["fouls"] if row["recorded_at"] <= day(20)] == before["fouls"]
    assert {
        (row["case_id"], row["step"], row["belongs_to"], row["cancelled"], row["recorded_at"])
        for row in after["fouls"]
    } == {
        ("b", 1, None, False, day(4.5)),
        ("a", None, "b", False, instant),
        ("b", 1, None, True, instant),
    }


def test_a_broken_run_leaves_nothing_behind(spark: SparkSession, settings: Settings) -> None:
    """At each write of each command, before and after it; then that command again and those that follow.

    In the end all of them again.
    """
    own = quiet(in_lake(settings, "whole"))
    commands: list[Callable[[Settings, Any], object]] = [
        lambda _, lake: take_answers(lake, [*answers(("z", "Ann", "bad", 5)), *FIRST, *SECOND]),
        lambda own, lake: run(own, lake, as_micros(day(8.2)), asked=False),
        lambda _, lake: take_appeals(lake, APPEALS),
        lambda own, lake: run(own, lake, as_micros(day(60)), asked=False),
    ]
    whole = CopiedLake(open_lake(own, spark))
    a_few(whole.lake)
    broken: list[tuple[Path, int]] = []  # a lake and the command that broke
    for number, command in enumerate(commands):
        command(own, whole)
        broken += [(copy, number) for copy in whole.copies[len(broken) :]]
    expected = contents(whole.lake, *OUTCOME)
    assert {number for _, number in broken} == {0, 1, 2, 3}
    assert len(broken) > 12
    for copy, number in [*broken, (Path(whole.lake.root), 0)]:
        own = quiet(in_lake(settings, copy.name))
        lake = open_lake(own, spark)
        for command in commands[number:]:
            command(own, lake)
        assert contents(lake, *OUTCOME) == expected, copy.name


def test_nothing_stems_from_what_isnt_live(spark: SparkSession, settings: Settings) -> None:
    lake = open_lake(settings, spark)
    a_few(lake)
    put(
        lake,
        schemas.DECISIONS,
        *(
            {"case_id": name, "decision": what, "mode": mode, "release_at": day(7), "build_id": mode}
            for name in "abcstr"
            for mode in ("shadow", "audit")
            for what in ("refuse", "approve")
        ),
    )
    up_to(settings, lake, 60)
    assert not any(contents(lake, "releases", "fouls", "blocks", "discounted_plays").values())
