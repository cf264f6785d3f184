"""The ladder against a replay that works otherwise, for any order of verdicts, looks and appeals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_spark.moderation.ladder import (
    APPEALED,
    CLEARED,
    RELEASED,
    Account,
    Event,
    Foul,
    FoulRow,
    is_in_time,
)
from pozytywka_spark.moderation.outcome import releases_of
from tests.moderation.frames import before_frame, of_cases
from tests.moderation.plain_replay import DAY, HOUR, Case, Replay

HOURS = (0, 24, 168, 720, 2160)
RUNGS = tuple(hours * HOUR for hours in HOURS)
NEVER, END = -(2**50), 1000 * DAY


def bad(case: str, day: int, at: int) -> Event:
    return Event(at, at, RELEASED, day * DAY, case, "pace", "person")


def shown(rows: Sequence[FoulRow]) -> list[tuple[str, int | None, str | None, bool, float | None, float]]:
    return [
        (
            row.foul.case_id,
            row.foul.step,
            row.foul.belongs_to,
            row.foul.cancelled,
            None if row.foul.ends_at is None else row.foul.ends_at / DAY,
            row.recorded_at / DAY,
        )
        for row in rows
    ]


def test_steps_rise_and_nobody_is_punished_twice_before_being_told() -> None:
    events = [
        bad("a", 0, 2 * DAY),
        bad("b", 1, 3 * DAY),  # its day began before the notice of a
        bad("c", 2, 4 * DAY),  # began with it
        bad("d", 3, 5 * DAY),  # before that of c
        bad("e", 10, 11 * DAY),
        bad("f", 12, 182 * DAY),  # a is 180 days old: it counts still
        bad("g", 183, 184 * DAY),  # it doesn't, c does
    ]
    assert shown([*Account(RUNGS).replay(events)]) == [
        ("a", 1, None, False, None, 2),
        ("b", None, "a", False, None, 3),
        ("c", 2, None, False, 5, 4),
        ("d", None, "c", False, None, 5),
        ("e", 3, None, False, 18, 11),
        ("f", 4, None, False, 212, 182),
        ("g", 4, None, False, 214, 184),
    ]


def test_an_upheld_appeal_ends_the_block_and_recounts_running_ones() -> None:
    events = [
        bad("a", 0, 1 * DAY),
        bad("b", 1, 2 * DAY),
        bad("c", 2, 3 * DAY),
        Event(5 * DAY, 5 * DAY, APPEALED, DAY, "b", appealed_at=3 * DAY),
    ]
    assert shown([*Account(RUNGS).replay(events)]) == [
        ("a", 1, None, False, None, 1),
        ("b", 2, None, False, 3, 2),
        ("c", 3, None, False, 10, 3),
        ("b", 2, None, True, 3, 5),  # its block was over
        ("c", 2, None, False, 5, 5),  # a day instead of a week, which is over too: it ends now
    ]


def test_a_cancelled_foul_is_no_notice_and_comes_back_only_if_no_appeal_did_it() -> None:
    account = Account(RUNGS)
    first = [bad("a", 0, 2 * DAY), Event(3 * DAY, 3 * DAY, CLEARED, 0, "a"), bad("b", 1, 4 * DAY)]
    assert shown([*account.replay(first)])[-1] == ("b", 1, None, False, None, 4)
    assert next(account.replay([bad("a", 0, 5 * DAY)])).foul.belongs_to == "b"
    appeal = Event(6 * DAY, 6 * DAY, APPEALED, 0, "a", appealed_at=5 * DAY)
    assert len([*account.replay([appeal, bad("a", 0, 7 * DAY)])]) == 1


def test_appeals_in_time() -> None:
    assert [is_in_time(10, at) for at in (9, 10, 10 + 183 * DAY, 11 + 183 * DAY)] == [
        False,
        True,
        True,
        False,
    ]


@dataclass(frozen=True)
class Drawn:
    """Accounts, each with its own cases, and moments; all by dice of one seed."""

    seed: int

    @cached_property
    def everyone(self) -> Everyone:
        """A dozen accounts of one case to six."""
        dice = Random(self.seed)
        return {
            user: tuple(one_case(dice, f"{user}-{n}") for n in range(dice.randint(1, 6)))
            for user in range(12)
        }

    def moments(self, most: int) -> list[int]:
        """At least one of them."""
        dice = Random(self.seed + 1)
        return [a_time(dice) for _ in range(dice.randint(1, most))]


def a_time(dice: Random) -> int:
    return dice.randint(0, 260 * 4) * DAY // 4


def soon(dice: Random) -> int:
    return dice.randint(1, 80) * DAY // 4


def one_case(dice: Random, name: str) -> Case:
    """A case with answers, decisions in all modes, perhaps second looks, appeals early and late."""
    day = a_time(dice) // DAY * DAY
    people = dice.sample(["Ann", "Ben", "Cat", "Dan"], dice.randint(0, 4))
    answers = tuple(
        (day + DAY + soon(dice), who, dice.choice(["bad", "bad", "ok", "unsure"])) for who in people
    )
    decisions = tuple(
        (
            day + DAY + soon(dice),
            dice.choice(["live", "live", "shadow", "audit"]),
            dice.choice(["refuse", "refuse", "approve", "person"]),
        )
        for _ in range(dice.randint(0, 2))
    )
    asked = day + DAY + soon(dice) if dice.random() < 0.5 else None
    appeals = []
    for _ in range(dice.randint(0, 2)):
        decided = day + DAY + 2 * soon(dice) + dice.choice([0, 170 * DAY])
        made = max(day, decided - soon(dice))
        appeals.append((decided, made, dice.choice(["Ann", "Eve"]), dice.choice(["upheld", "rejected"])))
    return Case(name, day, answers, decisions, asked, tuple(appeals))


Everyone = dict[int, tuple[Case, ...]]
DRAWN = st.integers(0, 2**32).map(Drawn)


def events_of(everyone: Everyone, since: int, until: int, before: dict[str, str]) -> dict[int, list[Event]]:
    """What happens to each account between two runs; all cases' answers in one frame."""
    of_case = {case.case_id: (user, case) for user, cases in everyone.items() for case in cases}
    inputs = of_cases([case for _, case in of_case.values()])
    rows = releases_of(**inputs, before=before_frame(before), silence_days={}, since=since, until=until)
    events: dict[int, list[Event]] = {user: [] for user in everyone}
    for case_id, _, verdict, cause, at, asked in rows.iter_rows():
        user, case = of_case[case_id]
        kind = RELEASED if verdict == "bad" else CLEARED
        events[user].append(Event(at, asked, kind, case.day, case_id, "pace", cause))
        before[case_id] = verdict
    for user, case in of_case.values():
        for decided, made, judge, verdict in case.appeals:
            accused = any(who == judge and word == "bad" and at <= decided for at, who, word in case.answers)
            if verdict == "upheld" and not accused and since < decided <= until:
                appeal = Event(decided, decided, APPEALED, case.day, case.case_id, appealed_at=made)
                events[user].append(appeal)
    return events


def in_one_run(everyone: Everyone) -> dict[int, list[FoulRow]]:
    events = events_of(everyone, NEVER, END, {})
    return {user: [*Account(RUNGS).replay(events[user])] for user in everyone}


def as_of(rows: Sequence[FoulRow], at: int) -> tuple[dict[str, Foul], int | None]:
    """The fouls that stand and the end of the longest block, from what was recorded by then."""
    latest = {row.foul.case_id: row.foul for row in rows if row.recorded_at <= at}
    ends = [foul.ends_at for foul in latest.values() if foul.ends_at is not None and foul.ends_at > at]
    return {name: foul for name, foul in latest.items() if not foul.cancelled}, max(ends, default=None)


@pytest.mark.thorough
@settings(max_examples=25)
@given(drawn=DRAWN)
def test_it_is_an_independent_replays(drawn: Drawn) -> None:
    """What held at a moment, from what was recorded by then, is what the replay says of it."""
    for user, rows in in_one_run(drawn.everyone).items():
        replay = Replay(drawn.everyone[user], HOURS)
        for at in (*drawn.moments(5), END):
            stand, blocked = as_of(rows, at)
            told = {
                name: (foul.released_at, foul.step, foul.belongs_to, foul.cause)
                for name, foul in stand.items()
            }
            assert told == replay.fouls(at)
            assert blocked == replay.blocked_until(at)


@pytest.mark.thorough
@settings(max_examples=25)
@given(drawn=DRAWN)
def test_several_runs_are_one_whatever_comes_first(drawn: Drawn) -> None:
    """So what held at the end of an earlier run holds for that time ever after."""
    everyone, dice = drawn.everyone, Random(drawn.seed)
    stepwise: dict[int, list[FoulRow]] = {user: [] for user in everyone}
    ladders = {user: Account(RUNGS) for user in everyone}
    before: dict[str, str] = {}
    for since, until in pairwise([NEVER, *sorted(drawn.moments(3)), END]):
        for user, events in events_of(everyone, since, until, before).items():
            stepwise[user] += ladders[user].replay(dice.sample(events, len(events)))
    assert stepwise == in_one_run(everyone)


@pytest.mark.thorough
@settings(max_examples=25)
@given(drawn=DRAWN)
def test_shadow_decisions_do_nothing(drawn: Drawn) -> None:
    """Without what isn't live the rows are the same."""
    everyone = drawn.everyone
    live = {
        user: tuple(
            replace(case, decisions=tuple(each for each in case.decisions if each[1] == "live"))
            for case in cases
        )
        for user, cases in everyone.items()
    }
    assert in_one_run(live) == in_one_run(everyone)


@pytest.mark.parametrize("step", [5, 6, 9])
def test_the_last_rung_is_for_all_steps_beyond(step: int) -> None:
    events = [bad(f"{n}", 2 * n, (2 * n + 1) * DAY) for n in range(step)]
    last = [*Account(RUNGS).replay(events)][-1].foul
    assert (last.step, last.ends_at) == (step, last.released_at + 2160 * HOUR)
