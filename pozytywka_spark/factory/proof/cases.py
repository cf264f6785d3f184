"""A group's cases as arrays, what people said of them, and who their witnesses are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pozytywka_spark.factory.proof.binomial import Floats, Whole

OK, BAD, UNSURE = 0, 1, -1
REFUSE, APPROVE = "refuse", "approve"
SIDES = (REFUSE, APPROVE)
# a second look that isn't there, or isn't complete
NOT_LOOKED = -2
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Cases:
    """Rows of one group, a case each.

    `score`: how bad the model takes it to be. `verdict`: the first one: OK, BAD or UNSURE. `witness`: cases
    that share an account have one number. `order`: of the cases of one witness the lowest speaks for all;
    drawn by a stated hash, so that it is a random one. `looked`: the majority of three, NOT_LOOKED without.
    """

    score: Floats
    verdict: Whole
    witness: Whole
    order: npt.NDArray[np.uint64]
    looked: Whole

    def __len__(self) -> int:
        return len(self.score)

    @cached_property
    def witnesses(self) -> int:
        """How many different ones there are."""
        return len(np.unique(self.witness))

    def of(self, rows: Flags | Whole) -> Cases:
        """Some of them."""
        return Cases(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def ranked(self, side: str) -> Cases:
        """Scores turned so that the side decides those at or above a threshold."""
        return self if side == REFUSE else replace(self, score=-self.score)

    def judged(self) -> Whole:
        """What counts: the majority where people looked again, else the first verdict."""
        return np.where(self.looked == NOT_LOOKED, self.verdict, self.looked)


def wanted(side: str) -> int:
    """The verdict that makes a decision of this side right."""
    return BAD if side == REFUSE else OK


def spokesmen(cases: Cases, among: Flags) -> Whole:
    """Of each witness with cases `among` these the position of one, drawn at random.

    An account's cases are alike: right or wrong together, so that they count as one. Which of them speaks is
    drawn apart from scores and verdicts, hence it is right with the share of the account's cases that are.
    """
    rows = np.flatnonzero(among)
    if not len(rows) or cases.witnesses == len(cases):
        return rows
    by_order = rows[np.lexsort((cases.order[rows], cases.witness[rows]))]
    owners = cases.witness[by_order]
    first = np.ones(len(by_order), dtype=np.bool_)
    first[1:] = owners[1:] != owners[:-1]
    return by_order[first]
