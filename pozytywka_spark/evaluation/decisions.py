"""Decision table: what a rule of addressing users would have brought on the test months, by exact counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pozytywka_spark.config import Policy, Settings
from pozytywka_spark.evaluation.scores import STEPS

if TYPE_CHECKING:
    import pandas as pd

    _Rule = Callable[[pd.DataFrame], pd.Series[float]]


def decision_table(counts: pd.DataFrame, settings: Settings) -> list[dict[str, Any]]:
    """A row a rule: how many it addresses, and with what success.

    `precision` is the share of buyers among the addressed, `recall` the share of all buyers who are
    addressed, `expected` the precision that the calibrated probabilities promised. `value` is what sales
    bring less what contacts cost, by the settings of `scoring.policy`, over all test months.
    """
    policy = settings.scoring.policy
    rules = [
        (f"probability from {share:g}", _from(share)) for share in sorted(settings.evaluation.thresholds)
    ]
    even = policy.cost_of_contact / policy.value_of_sale
    if 0 < even < 1:
        rules.append((f"pays for itself (from {even:.4g})", _from(even)))
    if policy.kind == "budget":
        rules.append((f"policy: best {policy.budget_users:,} a month", _best(policy.budget_users)))
    if policy.kind == "precision":
        rules.append((f"policy: expected precision {policy.precision:g}", _precise(policy.precision)))
    return [_row(name, share_contacted(counts), counts, policy) for name, share_contacted in rules]


def _from(share: float) -> _Rule:
    """Everybody whose probability is at least `share`, rounded up to a step."""
    lowest = math.ceil(round(share * STEPS, 6))
    return lambda counts: (counts["step"] >= lowest).astype(float)


def _best(users: int) -> _Rule:
    """The best so many of each month; the step at the edge counts in part."""

    def share_contacted(counts: pd.DataFrame) -> pd.Series[float]:
        falling = counts.sort_values(["month", "step"], ascending=[True, False])
        above = falling.groupby("month")["users"].cumsum() - falling["users"]
        return ((users - above) / falling["users"]).clip(0, 1).reindex(counts.index)

    return share_contacted


def _precise(precision: float) -> _Rule:
    """As many of each month as keep the mean probability at or above `precision`."""

    def share_contacted(counts: pd.DataFrame) -> pd.Series[float]:
        falling = counts.sort_values(["month", "step"], ascending=[True, False])
        sums = falling.groupby("month")[["expected", "users"]].cumsum()
        good = falling["step"].where(sums["expected"] >= sums["users"] * precision)
        lowest = good.groupby(falling["month"]).transform("min")
        return (falling["step"] >= lowest).astype(float).reindex(counts.index)

    return share_contacted


def _row(name: str, weight: pd.Series[float], counts: pd.DataFrame, policy: Policy) -> dict[str, Any]:
    sums = {column: float((weight * counts[column]).sum()) for column in ("users", "buyers", "expected")}
    users, buyers = sums["users"], sums["buyers"]
    every, all_buyers = float(counts["users"].sum()), float(counts["buyers"].sum())
    return {
        "rule": name,
        "users": round(users),
        "share": users / every if every else None,
        "buyers": round(buyers),
        "precision": buyers / users if users else None,
        "expected": sums["expected"] / users if users else None,
        "recall": buyers / all_buyers if all_buyers else None,
        "lift": buyers * every / (users * all_buyers) if users and all_buyers else None,
        "value": buyers * policy.value_of_sale - users * policy.cost_of_contact,
    }


def for_console(table: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The columns that fit a terminal."""
    return [
        {name: row[name] for name in ("rule", "users", "buyers", "precision", "recall", "value")}
        for row in table
    ]
