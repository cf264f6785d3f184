"""Answers of reviewers to a queue: the truth, but for errors and doubts at stated rates."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from pozytywka_spark.synthetic.reviewers.cases import BAD, OK, UNSURE, Case, Cheat, truth_about
from pozytywka_spark.synthetic.reviewers.office import Sitting, sittings

MINUTES_A_CASE = (8.0, 0.6)  # median, and spread of its log


@dataclass(frozen=True)
class Office:
    """How many work there, and how well. `error` and `unsure` are chances of each answer."""

    reviewers: int = 8
    error: float = 0.0
    unsure: float = 0.0
    seed: int = 7


@dataclass(frozen=True)
class Answer:
    """What a reviewer said of a case."""

    case_id: str
    reviewer: str
    verdict: str
    decided_at: datetime


def answers_to(
    cases: Sequence[Case],
    cheats: Mapping[int, Sequence[Cheat]],
    office: Office,
    before: Sequence[Answer] = (),
    asked_at: datetime | None = None,
) -> list[Answer]:
    """One answer to each case of the queue, by a reviewer who gave none to it `before`, in order of time.

    A case is taken up once it is open. One that was answered before is asked again: at `asked_at`,
    else once everything in the queue was open and everything before was answered.
    """
    if not cases:
        return []
    names = [f"reviewer-{number + 1:02}" for number in range(office.reviewers)]
    number_of = {name: number for number, name in enumerate(names)}
    earlier: dict[str, set[int]] = {}
    start = min(case.opened_at for case in cases)
    free = [start] * len(names)
    for answer in before:
        who = number_of.get(answer.reviewer)
        if who is not None:
            earlier.setdefault(answer.case_id, set()).add(who)
            free[who] = max(free[who], answer.decided_at)
    again = asked_at or max(
        [case.opened_at for case in cases] + [answer.decided_at for answer in before], default=start
    )
    available = {
        case.case_id: max(case.opened_at, again) if case.case_id in earlier else case.opened_at
        for case in cases
    }
    once = list({case.case_id: case for case in cases}.values())
    barred = {case.case_id: frozenset(earlier.get(case.case_id, ())) for case in once}
    sat = sittings(once, available, barred, free, lambda case, who: _takes(office, case, who))
    sat.sort(key=lambda each: (each.decided_at, each.case.case_id))
    return [
        Answer(each.case.case_id, names[each.reviewer], _verdict(office, each, cheats), each.decided_at)
        for each in sat
    ]


def _takes(office: Office, case: Case, reviewer: int) -> timedelta:
    median, spread = MINUTES_A_CASE
    minutes = median * float(np.exp(spread * _rng(office, case, reviewer, "minutes").normal()))
    return timedelta(seconds=round(60 * min(minutes, 120.0)) + 1)


def _verdict(office: Office, sitting: Sitting, cheats: Mapping[int, Sequence[Cheat]]) -> str:
    truth = truth_about(sitting.case, cheats)
    in_doubt, mistaken = _rng(office, sitting.case, sitting.reviewer, "verdict").random(2)
    if truth == UNSURE or in_doubt < office.unsure:
        return UNSURE
    if mistaken < office.error:
        return OK if truth == BAD else BAD
    return truth


def _rng(office: Office, case: Case, reviewer: int, purpose: str) -> np.random.Generator:
    """Random numbers of one reviewer with one case, whatever else is in the queue."""
    key = hashlib.sha256(f"{office.seed} {case.case_id} {reviewer} {purpose}".encode()).digest()
    return np.random.default_rng(int.from_bytes(key[:8], "big"))
