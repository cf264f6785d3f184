"""The daily sums of a slot as arrays: what each arm brought in each group, day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """Days × groups × arms. A day without a log has a row of zeros."""

    days: list[date]
    groups: list[str]
    rounds: Array  # as many unweighted decisions say as much (Kish's effective size)
    reward: Array  # what those brought


def series_of(sums: pd.DataFrame, arms: list[str], before: date) -> Series:
    """The days before `before` of arms in `arms`.

    Within a day and group an arm's decisions mostly had one probability; where they hadn't, the weights
    count: rounds = (Σw)² / Σw², and their mean reward is Σwr / Σw.
    """
    day_code, day_values = pd.factorize(sums["day"])
    days = [_date(value) for value in day_values]
    arm_code = pd.Categorical(sums["arm"], categories=arms).codes
    group_code, group_values = pd.factorize(sums["group"].fillna("").astype(str), sort=True)
    ordinal = np.array([day.toordinal() for day in days], dtype=np.int64)
    usable = (arm_code >= 0) & (sums["chosen_weight"].to_numpy(dtype=float) > 0)
    if len(days):
        usable &= ordinal[day_code] < before.toordinal()
    if not usable.any():
        nothing = np.zeros((0, 0, 0))
        return Series([], [str(group) for group in group_values] or [""], nothing, nothing)
    first = int(ordinal[day_code[usable]].min())
    last = int(ordinal[day_code[usable]].max())
    shape = (last - first + 1, len(group_values), len(arms))
    place = np.ravel_multi_index(
        (ordinal[day_code[usable]] - first, group_code[usable], arm_code[usable].astype(np.int64)), shape
    )

    def summed(name: str) -> Array:
        values = sums[name].to_numpy(dtype=float)[usable]
        return np.bincount(place, values, minlength=int(np.prod(shape))).reshape(shape).astype(float)

    weight, weighted, square = (summed(f"chosen_{part}") for part in ("weight", "reward", "square"))
    rounds = np.divide(weight**2, square, out=np.zeros(shape), where=square > 0)
    mean = np.divide(weighted, weight, out=np.zeros(shape), where=weight > 0)
    return Series(
        [date.fromordinal(first + number) for number in range(shape[0])],
        [str(group) for group in group_values],
        rounds,
        rounds * mean,
    )


def _date(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else pd.Timestamp(str(value)).date()


def evened(series: Series) -> tuple[Array, Array]:
    """Rounds and rewards of all groups together (days × arms), groups evened out.

    A group that rewards everything more would lift the arms that it is mostly shown: its rounds count as that
    many more of an average group's. Factors of groups and arms by turns, as for a table of two ways.
    """
    rounds, reward = series.rounds.sum(axis=0), series.reward.sum(axis=0)
    if len(series.groups) == 1:
        return series.rounds[:, 0], series.reward[:, 0]
    factor = np.ones(len(series.groups))
    for _ in range(10):
        arm = (reward.sum(axis=0) + 0.5) / ((factor[:, None] * rounds).sum(axis=0) + 1)
        factor = (reward.sum(axis=1) + 0.5) / (rounds @ arm + 0.5)
    factor = factor * rounds.sum() / (factor @ rounds.sum(axis=1))
    return np.tensordot(series.rounds, factor, axes=(1, 0)), series.reward.sum(axis=1)
