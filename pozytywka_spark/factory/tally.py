"""Decisions of a side against people, counted: few numbers, however many cases there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pozytywka_spark.factory.proof.audits import allowed, evidence, withdrawn_after_looks
from pozytywka_spark.factory.proof.cases import APPROVE, BAD, OK, REFUSE
from pozytywka_spark.factory.proof.noise import NOBODY_ERRS, Noise

RIGHT = {REFUSE: BAD, APPROVE: OK}  # the verdict that makes a side's decision right


@dataclass(frozen=True)
class Against:
    """What people say against a side's decisions, an account or ring each, in order of first verdicts.

    `wrong`: for good, the majority where people look again; `waits`: for second looks; `at_first`: what first
    verdicts say; `at`: when these were given (microseconds).
    """

    wrong: Sequence[bool]
    waits: Sequence[bool]
    at_first: Sequence[bool]
    at: Sequence[int]


@dataclass(frozen=True)
class Tally:
    """A side's decisions, an account or ring each.

    `tested`, `wrong`; `against`: how many times likelier a side worse than demanded is. `withdrawn`: how many
    were judged, and wrong, and when (microseconds) the last of them was, as the always-valid test withdrew
    the side; None if it stays. `latest`: when the build last decided a case of the group. `waiting`: those
    that aren't in `wrong` and may be, once people have looked again; `overturned`: the share of all whose
    first verdict they found wrong; `ask`: cases to ask them about.
    """

    tested: int
    wrong: int
    against: float
    withdrawn: tuple[int, int, int] | None
    latest: int
    waiting: int = 0
    overturned: float = 0.0
    ask: tuple[str, ...] = field(default=())


def tally(
    told: Against, limit: float, latest: int, noise: Noise = NOBODY_ERRS, ask: Sequence[str] = ()
) -> Tally:
    """Count what people say; `limit` of the decisions may be wrong."""
    columns = zip(told.at_first, told.wrong, told.waits, strict=True)
    overturned = sum(first and not (wrong or waits) for first, wrong, waits in columns)
    share = overturned / max(len(told.wrong), 1)
    noise = noise.or_as_much(share)
    place = withdrawn_after_looks(told.wrong, told.at_first, limit, noise)
    withdrawn = None
    if place is not None:
        judged = zip(told.wrong[: place + 1], told.waits[: place + 1], strict=True)
        withdrawn = (place + 1, sum(one or waits for one, waits in judged), told.at[place])
    against = float(evidence(told.wrong, allowed(limit, noise))[-1]) if told.wrong else 1.0
    wrong, waiting = sum(told.wrong), sum(told.waits)
    return Tally(len(told.wrong), wrong, against, withdrawn, latest, waiting, share, tuple(ask))


def tally_of(line: Mapping[str, Any]) -> Tally:
    """As a task told it."""
    withdrawn = line["withdrawn"] and tuple(line["withdrawn"])
    told = {name: line[name] for name in Tally.__dataclass_fields__}
    return Tally(**{**told, "withdrawn": withdrawn, "ask": tuple(line["ask"])})
