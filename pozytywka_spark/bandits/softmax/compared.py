"""What each cell says of its arm: how much better it did than what was shown in its place.

The rewards of a cell with and without its arm differ by y = (μ⁺ - μ⁻)/M, M the reward without it over all
days. What was shown in its place was a mixture of the other arms, another one every day, once a policy
serves: y estimates

    e_a - γ f(days of a) - Σ_b q_b (e_b - γ f(days of b)),    f(d) = 0.5^(d/h)

with q the shares of the other arms among what was shown that day in that group. So days of a uniform log and
days of a policy that mostly shows the best say the same thing, each as loudly as it can: by the effective
sizes of a cell of that day, where the weights are alike, instead of those of all days' sums together, where
a few decisions with large weights drown the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.bandits.seen import EDGES
from pozytywka_spark.bandits.softmax.cells import Cells, Floats, divided

_FEW = 2000  # effective rounds of a bucket, below which its level is taken from all buckets
_AHEAD = 1.25  # of the last bucket, which is open
# whole days are logged as often as days with fractions: between the centres of both
_NEXT = (*EDGES[1:], EDGES[-1] * _AHEAD)
CENTRES = np.array(
    [np.inf, *((low + max(high - 0.5, low)) / 2 for low, high in zip(EDGES, _NEXT, strict=True))]
)


@dataclass(frozen=True)
class Compared:
    """By day, arm, group and bucket, unless said. `precision`: 1 / variance; 0 where nothing was compared.

    `shown`: rounds in which the arm was shown, about. `design`: day × group × arm × arm, y of an arm by the
    effects of all: 1 on the diagonal, less the shares of the others.
    """

    difference: Floats
    precision: Floats
    shown: Floats
    design: Floats


def compared(cells: Cells) -> Compared:
    """The differences of the cells, how sure they are, and what they are differences from."""
    chosen, other = cells.chosen, cells.other
    level = _level(cells)
    difference = divided(chosen.mean - other.mean, level)
    sizes = divided(
        np.ones_like(level),
        divided(np.ones_like(level), chosen.effective) + divided(np.ones_like(level), other.effective),
    )
    both = (chosen.weight > 0) & (other.weight > 0) & (level > 0)
    precision = np.where(both, sizes * level**2 / _variance(level), 0.0)
    shown = _shown(cells)
    return Compared(np.where(both, difference, 0.0), precision, shown, _design(shown))


def _level(cells: Cells) -> Floats:
    """The mean reward without the arm, of each cell over all days."""
    by_bucket, of_all = cells.other.over(0), cells.other.over(0, 3)
    level = np.where(by_bucket.effective > _FEW, by_bucket.mean, of_all.mean[..., None])
    return np.broadcast_to(level, cells.rounds.shape)


def _variance(level: Floats) -> Floats:
    """Of a reward: of 0 or 1, if levels allow it, else as of a Poisson number."""
    return np.maximum(level * (1 - level), 1e-12) if level.max() <= 1 else np.maximum(level, 1e-12)


def _shown(cells: Cells) -> Floats:
    """Rounds × the arm's probability, read off the weights: Σw²/Σw of 1/(1 - b) is 1/(1 - b) again."""
    inverse = divided(cells.other.square, cells.other.weight)
    probability = np.where(inverse > 0, 1 - divided(np.ones_like(inverse), inverse), 1.0)
    shown: Floats = np.clip(probability, 0, 1) * cells.rounds
    return shown


def _design(shown: Floats) -> Floats:
    by_arm = shown.sum(3).transpose(0, 2, 1)
    arms = by_arm.shape[2]
    others = np.repeat(by_arm[:, :, None, :], arms, axis=2) * (1 - np.eye(arms))
    return np.eye(arms) - divided(others, np.broadcast_to(others.sum(3, keepdims=True), others.shape))
