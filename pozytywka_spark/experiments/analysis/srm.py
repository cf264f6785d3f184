"""Sample ratio mismatch: do the groups have the sizes they were meant to? If not, nothing else counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chisquare

from pozytywka_spark.errors import GuardError


@dataclass(frozen=True)
class Ratio:
    """Groups' sizes under one allocation, and how likely such a deviation is."""

    revision: int
    users: Mapping[str, int]
    expected: Mapping[str, float]
    p_value: float


def ratio(revision: int, users: Mapping[str, int], shares: Mapping[str, float]) -> Ratio:
    """Pearson's chi-square (scipy) of `users` against `shares`, which add up to 1."""
    total = sum(users.get(group, 0) for group in shares)
    observed = np.array([users.get(group, 0) for group in shares], dtype=np.float64)
    meant = np.array(list(shares.values())) * total
    p_value = float(chisquare(observed, meant).pvalue) if total else 1.0
    return Ratio(revision, dict(users), dict(shares), p_value)


def check(ratios: Sequence[Ratio], alpha: float) -> None:
    """Raise `GuardError` naming the group that is most out of proportion if any ratio is that unlikely."""
    for ratio in ratios:
        if ratio.p_value < alpha:
            raise GuardError(f"sample ratio mismatch, the reading stops: {ratio_text(ratio)}")


def ratio_text(ratio: Ratio) -> str:
    """The largest shift in one clause."""
    total = sum(ratio.users.values())
    shifts = {group: ratio.users.get(group, 0) / total - share for group, share in ratio.expected.items()}
    group = max(shifts, key=lambda name: abs(shifts[name]))
    users = ratio.users.get(group, 0)
    return (
        f"{group} has {users:,} of {total:,} users, {100 * users / total:.2f}% "
        f"where {100 * ratio.expected[group]:.2f}% were meant ({100 * shifts[group]:+.2f} points, "
        f"p = {ratio.p_value:.1e}, revision {ratio.revision}): "
        "find out which users are missing or doubled before reading any difference"
    )


def as_rows(ratios: Sequence[Ratio]) -> list[dict[str, object]]:
    """A line a group and allocation for people."""
    return [
        {
            "revision": each.revision,
            "group": group,
            "users": each.users.get(group, 0),
            "meant": share * sum(each.users.values()),
            "p": each.p_value,
        }
        for each in ratios
        for group, share in each.expected.items()
    ]
