"""Ranks of a month's users, and who of them get an offer: a stated policy over probabilities and ranks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DECILES = 10
STEPS = 10_000  # probabilities are told apart to a hundredth of a percent where a precision is asked for


def ranks(
    by: npt.NDArray[np.float64], tie: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Rank and decile of each row: 1 has the highest `by`, of equals the lower `tie`."""
    rank = np.empty(len(by), np.int64)
    rank[np.lexsort((tie, -by))] = np.arange(1, len(by) + 1)
    return rank, ((rank - 1) * DECILES // max(len(by), 1) + 1).astype(np.int32)


@dataclass(frozen=True)
class Rule:
    """The setting `scoring.policy` as plain values, for tasks."""

    kind: str
    budget_users: int = 0
    value_of_sale: float = 0.0
    cost_of_contact: float = 0.0
    precision: float = 1.0


def selected(
    rank: npt.NDArray[np.int64],
    probability: npt.NDArray[np.float64],
    rule: Rule,
    shut_out: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.bool_]:
    """Which users of a month, all of whom are given, get an offer. `probability` is calibrated.

    Nobody `shut_out` does: the rule chooses among the others as if they were all, their ranks closed up.

    budget: the first `budget_users` ranks. value: users whose expected sale is worth more than the
    contact. precision: the largest group of best users whose expected share of buyers, the mean of
    their probabilities, is at least `precision`; users within 1/10,000 of each other go together.
    """
    if shut_out is not None and shut_out.any():
        chosen = np.zeros(len(rank), dtype=bool)
        left = np.flatnonzero(~shut_out)
        closed_up = np.empty(len(left), np.int64)
        closed_up[np.argsort(rank[left])] = np.arange(1, len(left) + 1)
        chosen[left] = selected(closed_up, probability[left], rule)
        return chosen
    if rule.kind == "budget":
        return rank <= rule.budget_users
    if rule.kind == "value":
        return probability * rule.value_of_sale > rule.cost_of_contact
    if rule.kind == "precision":
        step = np.floor(probability * STEPS).astype(np.int64)
        return step >= lowest_step(step, probability, rule.precision)
    return np.zeros(len(rank), dtype=bool)


def lowest_step(step: npt.NDArray[np.int64], probability: npt.NDArray[np.float64], precision: float) -> int:
    """The lowest step of probability in the group; beyond all steps if nobody is good enough."""
    users = np.bincount(step, minlength=STEPS + 1)[::-1].cumsum()
    buyers = np.bincount(step, probability, minlength=STEPS + 1)[::-1].cumsum()
    good = np.flatnonzero((buyers >= users * precision) & (users > 0))
    return STEPS - int(good[-1]) if len(good) else STEPS + 1
