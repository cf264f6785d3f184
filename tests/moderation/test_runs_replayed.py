"""Runs over tables against an independent replay, for files in any order and accounts in several slices."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.moderation import inputs
from pozytywka_spark.moderation.blocked import blocked_at
from pozytywka_spark.moderation.blocked_frame import blocked_frame
from pozytywka_spark.moderation.run import run
from pozytywka_spark.moderation.stage import take_answers, take_appeals
from pozytywka_spark.months import as_micros, as_moment
from tests.moderation.plain_replay import DAY, HOUR, Case, Replay
from tests.moderation.world import answers, appeals, case, day, put

START = as_micros(day(0))


def random_case(dice: random.Random, name: str) -> Case:
    its_day = dice.randrange(0, 60) * DAY
    people = dice.sample(["Ann", "Ben", "Cat", "Dan"], dice.randrange(0, 4))
    later = lambda most: its_day + DAY + dice.randrange(1, most) * HOUR  # noqa: E731
    answered = tuple((later(200), who, dice.choice(["bad", "bad", "ok", "unsure"])) for who in people)
    decided = tuple(
        (later(200), dice.choice(["live", "shadow", "audit"]), dice.choice(["refuse", "approve", "person"]))
        for _ in range(dice.randrange(0, 2))
    )
    made = [later(400) for _ in range(dice.randrange(0, 2))]
    appealed = tuple((when + dice.randrange(1, 400) * HOUR, when, "Eve", "upheld") for when in made)
    asked = later(200) if dice.random() < 0.3 else None
    return Case(name, its_day, answered, decided, asked, appealed)


def write_cases(lake: Lake, everyone: dict[int, Sequence[Case]]) -> None:
    """Cases, decisions and looks of all accounts."""
    cases = [(user, each) for user, theirs in everyone.items() for each in theirs]
    put(lake, schemas.CASES, *(case(each.case_id, user, each.day // DAY) for user, each in cases))
    put(
        lake,
        schemas.DECISIONS,
        *(
            {
                "case_id": each.case_id,
                "decision": what,
                "mode": mode,
                "release_at": as_moment(START + when),
                "build_id": "x",
            }
            for _, each in cases
            for when, mode, what in each.decisions
        ),
    )
    put(
        lake,
        schemas.SECOND_LOOKS,
        *(
            {
                "case_id": each.case_id,
                "requested_at": as_moment(START + each.asked_again),
                "looks": 3,
                "build_id": "x",
            }
            for _, each in cases
            if each.asked_again is not None
        ),
    )


def test_the_tables_are_an_independent_replays(
    spark: SparkSession, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files in any order, runs in steps: what held at a moment is what the replay says, then and later."""
    monkeypatch.setattr(inputs, "ROWS_AT_ONCE", 45)  # so that there are several slices
    dice = random.Random(11)
    everyone = {
        user: tuple(random_case(dice, f"{user}-{n}") for n in range(dice.randrange(3, 9)))
        for user in range(30)
    }
    lake = open_lake(settings, spark)
    write_cases(lake, everyone)
    said = [
        (each.case_id, who, word, when / DAY)
        for theirs in everyone.values()
        for each in theirs
        for when, who, word in each.answers
    ]
    asked = [
        (user, each.case_id, made / DAY, who, word, when / DAY)
        for user, theirs in everyone.items()
        for each in theirs
        for when, made, who, word in each.appeals
    ]
    dice.shuffle(said)
    dice.shuffle(asked)
    take_appeals(lake, appeals(*asked))
    for part in range(3):
        take_answers(lake, answers(*said[part::3]))
    moments = sorted(dice.randrange(5, 80) * DAY + HOUR for _ in range(3))
    seen: list[tuple[int, set[Any], dict[int, int]]] = []
    for until in (*moments, 400 * DAY):
        run(settings, lake, START + until, asked=True)
        for earlier, stand, blocked in [*seen, (until, *replayed(everyone, until))]:
            assert held_in(lake, earlier) == (stand, blocked)
            if (earlier, stand, blocked) not in seen:
                seen.append((earlier, stand, blocked))
    assert any(blocked for _, _, blocked in seen)
    frame = blocked_frame(lake, as_moment(START + moments[1]))
    assert frame is not None
    told = {row["user_id"]: as_micros(row["blocked_until"].astimezone()) - START for row in frame.collect()}
    assert told == seen[1][2]


def replayed(everyone: dict[int, Sequence[Case]], moment: int) -> tuple[set[Any], dict[int, int]]:
    stand, blocked = set(), {}
    for user, theirs in everyone.items():
        replay = Replay(tuple(theirs))
        stand |= {(user, name, *values) for name, values in replay.fouls(moment).items()}
        until = replay.blocked_until(moment)
        if until is not None:
            blocked[user] = until
    return stand, blocked


def held_in(lake: Lake, moment: int) -> tuple[set[Any], dict[int, int]]:
    rows = [row for row in lake.rows("fouls").to_pylist() if as_micros(row["recorded_at"]) <= START + moment]
    latest = {
        (row["user_id"], row["case_id"]): row for row in sorted(rows, key=lambda row: row["recorded_at"])
    }
    stand = {
        (user, name, as_micros(row["released_at"]) - START, row["step"], row["belongs_to"], row["cause"])
        for (user, name), row in latest.items()
        if not row["cancelled"]
    }
    with lake.tasks() as tasks:
        blocked = blocked_at(lake, tasks, as_moment(START + moment))
        users = tasks.run([0], BlockedUsers(blocked), weight=lambda _: 1, named=str).results[0]["users"]
    return stand, {user: until - START for user, until in users}


class BlockedUsers:
    """Work that tells who is blocked, as a stage would join them."""

    def __init__(self, blocked: Any) -> None:
        self.blocked = blocked

    def __call__(self, items: Any, files: Any) -> Any:
        yield {"users": [list(row) for row in self.blocked.users(files).rows()]}
