"""What the page shows of a softmax: effects with intervals, how novelty fades; from `bandit_days`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pozytywka_spark.bandits.seen import NEVER
from pozytywka_spark.bandits.softmax.cells import BUCKETS, cells_of
from pozytywka_spark.bandits.softmax.compared import CENTRES, compared
from pozytywka_spark.bandits.softmax.effects import estimate_effects

_95 = 1.959963984540054


@dataclass(frozen=True)
class Effect:
    """What an arm brings in a group beside the others, as a share of the mean reward; with a 95% interval."""

    arm: str
    group: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Faded:
    """What an arm brings `days` after it was shown less what it brings those who never saw it: mean, 95%."""

    days: float
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Measured:
    """Effects by arm and group, and the points that a penalty curve is drawn through."""

    effects: tuple[Effect, ...]
    faded: tuple[Faded, ...]


def measured(sums: pl.DataFrame) -> Measured:
    """From rows of `bandit_days` of one slot. Raises `DataError` if there are none."""
    cells = cells_of(sums)
    said = compared(cells)
    found = estimate_effects(said, None, None)
    effects = tuple(
        Effect(arm, group, value, value - _95 * deviation, value + _95 * deviation)
        for a, arm in enumerate(cells.arms)
        for g, group in enumerate(cells.groups)
        for value, deviation in [(float(found.scores[a, g]), float(found.deviations[a, g]))]
    )
    expected = np.einsum("dgab,bg->dag", said.design, found.scores)
    beyond = said.difference - expected[..., None]
    precision = said.precision.sum((0, 1, 2))
    mean = (said.precision * beyond).sum((0, 1, 2)) / np.maximum(precision, 1e-300)
    never = BUCKETS.index(NEVER)
    if not precision[never]:
        return Measured(effects, ())
    faded = []
    for place, days in enumerate(CENTRES):
        if place != never and precision[place]:
            value = float(mean[place] - mean[never])
            reach = _95 * float(np.sqrt(1 / precision[place] + 1 / precision[never]))
            faded.append(Faded(float(days), value, value - reach, value + reach))
    return Measured(effects, tuple(faded))
