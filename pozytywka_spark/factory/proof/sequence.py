"""Which thresholds are tried, in which order, begun where: learnt on training cases only.

A side's thresholds are tested one after another, from a start towards looser ones, each at the full level,
until one fails; those before it are proven all together (fixed-sequence testing; Maurer, Hothorn and
Lehmacher 1995; Angelopoulos et al. 2021, "Learn then test"). That holds for any order that knows nothing of
the tested cases. Begun at the strictest threshold it would find nothing: a handful of cases prove no 99%. So
it begins at the loosest of those that have the best chance to pass, as the training cases let one expect.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pozytywka_spark.factory.proof.binomial import Floats, chance, most_wrong
from pozytywka_spark.factory.proof.cases import APPROVE, BAD, Cases, spokesmen, wanted

STEP = 1.05  # each threshold decides so many times as many training cases as the one before
LEAST_CHANCE = 0.3  # of the start; below it is not worth the people's time and only adds false ones
SAME_CHANCE = 0.002  # chances that differ by less are taken for the same
_LAST_CHANCE = 0.05


@dataclass(frozen=True)
class Demands:
    """What is to be proven of a side. `most_missed`: share of the bad cases that may be approved."""

    precision: float = 0.99
    confidence: float = 0.95
    most_missed: float = 0.05

    @property
    def alpha(self) -> float:
        """The level of each test."""
        return 1.0 - self.confidence


@dataclass(frozen=True)
class Sequence:
    """Thresholds from the start to the loosest, of scores turned by `Cases.ranked`.

    `limit`: the share of wrong decisions that must be refuted: what is demanded, and half the error of
    deciding everything this way. `noise`: share of wrong first verdicts that was reckoned with.
    """

    thresholds: Floats
    limit: float
    noise: float
    best_chance: float
    disagreeing: Floats = field(default_factory=lambda: np.empty(0))  # share of wrong ones in training, each
    is_needless: bool = False  # everything decided this way is as right as demanded


def learn(
    training: Cases,
    tested: int,
    side: str,
    demands: Demands,
    noise: float = 0.0,
    loosest: float = -np.inf,
) -> Sequence:
    """From training cases (`Cases.ranked`), for a test of about `tested` witnesses, down to `loosest`."""
    right = wanted(side)
    everyone = spokesmen(training, np.ones(len(training), np.bool_))
    base = float(np.mean(training.judged()[everyone] != right)) if len(everyone) else 0.0
    limit = min(1.0 - demands.precision, without_noise(base, noise) / 2.0)
    if without_noise(base, noise) <= 1.0 - demands.precision:
        return Sequence(np.empty(0), limit, noise, 0.0, is_needless=len(everyone) > 0)
    thresholds = _grid(training)
    thresholds = thresholds[thresholds >= loosest]
    if not len(thresholds) or limit <= 0.0 or not tested:
        return Sequence(np.empty(0), limit, noise, 0.0)
    decided, wrong, bad, missed = (np.zeros(len(thresholds)) for _ in range(4))
    bad_ones = spokesmen(training, training.judged() == BAD)
    bad[:] = len(bad_ones)
    for place, counts in enumerate(counted(training, thresholds, right)):
        decided[place], wrong[place] = counts
        missed[place] = np.sum(training.score[bad_ones] >= thresholds[place])
    disagreeing = wrong / np.maximum(decided, 1)
    wrong = np.maximum(wrong - noise * decided, 0.0)
    expected = np.floor(decided * tested / max(len(everyone), 1))
    chances = chance(wrong, decided, expected, most_wrong(expected, limit, demands.alpha))
    if side == APPROVE:
        bad_tested = np.floor(bad * tested / max(len(everyone), 1))
        missed = np.maximum(missed - noise * decided, 0.0)
        through = np.floor(bad_tested * demands.most_missed)
        chances = np.minimum(chances, chance(missed, np.maximum(bad, missed), bad_tested, through))
    best = float(chances.max())
    if best < LEAST_CHANCE:
        return Sequence(np.empty(0), limit, noise, best)
    start = int(np.flatnonzero(chances >= best - SAME_CHANCE).max())
    hopeful = np.flatnonzero(chances >= _LAST_CHANCE)
    end = int(hopeful[hopeful >= start].max())
    chosen = slice(start, end + 1)
    return Sequence(thresholds[chosen], limit, noise, best, disagreeing[chosen])


def without_noise(share: float, noise: float) -> float:
    """The share of true errors where verdicts are wrong in `noise`, either way."""
    return max(0.0, (share - noise) / (1.0 - 2.0 * noise))


def counted(cases: Cases, thresholds: Floats, right: int) -> list[tuple[int, int]]:
    """Of each threshold: witnesses decided, and those of them decided wrongly."""
    wrong = cases.judged() != right
    if len(np.unique(cases.witness)) == len(cases):
        ranks = np.argsort(-cases.score, kind="stable")
        so_far = np.concatenate([[0], np.cumsum(wrong[ranks])])
        ends = np.searchsorted(-cases.score[ranks], -thresholds, side="right")
        return [(int(end), int(so_far[end])) for end in ends]
    counts = []
    for threshold in thresholds:
        speaking = spokesmen(cases, cases.score >= threshold)
        counts.append((len(speaking), int(wrong[speaking].sum())))
    return counts


def _grid(training: Cases) -> Floats:
    """Thresholds from strict to loose, each half way from a training case's score to the next lower one.

    Scores of trees lie on few steps, and later cases' just beside them: a threshold on a step would cut it.
    """
    steps = np.unique(-training.score)
    if not len(steps):
        return np.empty(0)
    ordered = np.sort(-training.score)
    sizes = [1.0]
    while sizes[-1] < len(ordered):
        sizes.append(max(sizes[-1] + 1, sizes[-1] * STEP))
    places = np.minimum(np.array(sizes, dtype=np.int64), len(ordered)) - 1
    chosen = np.searchsorted(steps, np.unique(ordered[places]))
    lower = steps[np.minimum(chosen + 1, len(steps) - 1)]
    return np.asarray(-(steps[chosen] + lower) / 2.0, dtype=np.float64)
