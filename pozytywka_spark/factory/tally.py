"""Decisions of a side against people, counted: few numbers, however many cases there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pozytywka_spark.factory.proof.audits import evidence, withdrawn_at
from pozytywka_spark.factory.proof.cases import APPROVE, BAD, OK, REFUSE

RIGHT = {REFUSE: BAD, APPROVE: OK}  # the verdict that makes a side's decision right


@dataclass(frozen=True)
class Tally:
    """A side's decisions, an account or ring each.

    `tested`, `wrong`; `against`: how many times likelier a side worse than demanded is. `withdrawn`: how many
    were judged, and wrong, and when (microseconds) the last of them was, as the always-valid test withdrew
    the side; None if it stays. `latest`: when the build last decided a case of the group.
    """

    tested: int
    wrong: int
    against: float
    withdrawn: tuple[int, int, int] | None
    latest: int


def tally(wrong: Sequence[bool], at: Sequence[int], limit: float, latest: int) -> Tally:
    """Of cases in their order of time: whether each decision is wrong, and when people judged it."""
    place = withdrawn_at(wrong, limit)
    withdrawn = None if place is None else (place + 1, sum(wrong[: place + 1]), at[place])
    against = float(evidence(wrong, limit)[-1]) if wrong else 1.0
    return Tally(len(wrong), sum(wrong), against, withdrawn, latest)


def tally_of(line: Mapping[str, Any]) -> Tally:
    """As a task told it."""
    withdrawn = line["withdrawn"] and tuple(line["withdrawn"])
    return Tally(line["tested"], line["wrong"], line["against"], withdrawn, line["latest"])
