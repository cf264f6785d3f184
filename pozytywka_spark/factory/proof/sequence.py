"""Which thresholds are tried, in which order, begun where: learnt on training cases only.

A side's thresholds are tested one after another, from a start towards looser ones, each at the full level,
until one fails; those before it are proven all together (fixed-sequence testing; Maurer, Hothorn and
Lehmacher 1995; Angelopoulos et al. 2021, "Learn then test"). That holds for any order that knows nothing of
the tested cases. Begun at the strictest threshold it would find nothing: a handful of cases prove no 99%.

Where it begins is learnt. Of many training cases tests are drawn as they may turn out, and it begins where
they would let it decide most on average. Of few, or where people's errors hide the model's until they are
asked again, which says little of what such tests would be, at the loosest of the thresholds that have the
best chance to pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pozytywka_spark.factory.proof.binomial import Floats, Whole, chance
from pozytywka_spark.factory.proof.cases import APPROVE, Cases, Flags, spokesmen, wanted
from pozytywka_spark.factory.proof.learnt import FINE_STEP, STEP, Learnt, grid, learnt
from pozytywka_spark.factory.proof.noise import NOBODY_ERRS, Noise

MANY = 1500  # training witnesses; drawn from fewer, tests led to more sides that were truly below
DRAWS = 400
LEAST_CHANCE = 0.3  # of the start; below it is not worth the people's time and only adds false ones
SAME_CHANCE = 0.002  # chances that differ by less are taken for the same
_LAST_CHANCE = 0.05
_LEAST_ASKED = 0.02  # chance to be proven from which on a side is worth second looks
_LAST_DRAWN = 0.2  # thresholds that hardly any drawn test proves aren't tried


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
    deciding everything this way. `noise`: people's errors that were reckoned with.
    """

    thresholds: Floats
    limit: float
    noise: Noise
    best_chance: float
    is_needless: bool = False  # everything decided this way is as right as demanded


def learn(
    training: Cases,
    tested: int,
    side: str,
    demands: Demands,
    noise: Noise = NOBODY_ERRS,
    *,
    loosest: float = -np.inf,
    asked: int | None = None,
) -> Sequence:
    """From training cases (`Cases.ranked`), for a test of about `tested` witnesses.

    `loosest`: down to where training cases were asked about again (`looked_down_to`); `asked`: about how many
    tested ones that disagree were, None: all.
    """
    limit, is_needless = _limit(training, side, demands, noise)
    nothing = Sequence(np.empty(0), limit, noise, 0.0, is_needless=is_needless)
    are_many = training.witnesses >= MANY and (loosest > -np.inf or not noise.share)
    thresholds = grid(training, FINE_STEP if are_many else STEP)
    thresholds = thresholds[thresholds >= loosest]
    if is_needless or not len(thresholds) or limit <= 0.0 or not tested:
        return nothing
    told = learnt(training, thresholds, tested, side, limit, noise, asked)
    best, chosen = (_of_drawn if are_many else _of_chances)(told, side, demands)
    if chosen is None:
        return replace(nothing, best_chance=best)
    return Sequence(thresholds[chosen], limit, noise, best)


def reach(
    training: Cases, tested: int, side: str, demands: Demands, noise: Noise = NOBODY_ERRS
) -> float | None:
    """The loosest threshold that might be proven once people are asked again; None where hardly any might."""
    limit, is_needless = _limit(training, side, demands, noise)
    thresholds = grid(training, STEP)
    if is_needless or not len(thresholds) or limit <= 0.0 or not tested:
        return None
    chances = _chances(learnt(training, thresholds, tested, side, limit, noise, None), side, demands)
    best = float(chances.max())
    if best < _LEAST_ASKED:
        return None
    return float(thresholds[np.flatnonzero(chances >= min(best, _LAST_CHANCE)).max()])


def _limit(training: Cases, side: str, demands: Demands, noise: Noise) -> tuple[float, bool]:
    """`Sequence.limit`, and `Sequence.is_needless`."""
    everyone = spokesmen(training, np.ones(len(training), np.bool_))
    if not len(everyone):
        return 0.0, False
    said = training.verdict if noise.share else training.judged()
    base = noise.without(float(np.mean(said[everyone] != wanted(side))))
    return min(1.0 - demands.precision, base / 2.0), base <= 1.0 - demands.precision


def _chances(told: Learnt, side: str, demands: Demands) -> Floats:
    """Of each threshold the chance that a test proves it."""
    seen = told.decided * told.known
    chances = chance(told.wrong * told.known, seen, told.expected(), told.most(demands.alpha))
    if side == APPROVE:
        through = np.floor(told.bad_tested() * demands.most_missed)
        bad = np.maximum(told.bad, told.missed)
        chances = np.minimum(chances, chance(told.missed, bad, told.bad_tested(), through))
    return chances


def _of_chances(told: Learnt, side: str, demands: Demands) -> tuple[float, slice | None]:
    """The best chance to pass, and thresholds from the loosest that has it; None where it is too small."""
    chances = _chances(told, side, demands)
    best = float(chances.max())
    if best < LEAST_CHANCE:
        return best, None
    start = int(np.flatnonzero(chances >= best - SAME_CHANCE).max())
    hopeful = np.flatnonzero(chances >= _LAST_CHANCE)
    return best, slice(start, int(hopeful.max()) + 1)


def _of_drawn(told: Learnt, side: str, demands: Demands) -> tuple[float, slice | None]:
    """The same of drawn tests: thresholds from the start at which these decide most on average."""
    drawn = _drawn(told)
    passes = drawn <= told.most(demands.alpha)
    if side == APPROVE:
        through = np.floor(told.bad_tested() * demands.most_missed)
        passes &= drawn / told.asked + told.share * (told.missed - told.wrong) <= through
    chances = passes.mean(axis=0)
    best = float(chances.max())
    if best < LEAST_CHANCE:
        return best, None
    end = int(np.flatnonzero(chances >= _LAST_DRAWN).max())
    start = _deciding_most(passes[:, : end + 1], told.expected())
    return best, slice(start, end + 1)


def _drawn(told: Learnt) -> Whole:
    """Wrong ones at each threshold, of DRAWS tests as large as the test will be: tests by thresholds.

    Rates as Jeffreys' prior and the training cases leave them (Gamma), the same along all of a test's
    thresholds, so that what a strict one decides wrongly is among what a loose one does.
    """
    rng = np.random.default_rng(len(told.wrong))
    between = np.diff(np.maximum.accumulate(told.wrong), prepend=0.0) * told.known
    between[0] += 0.5
    rates = rng.gamma(np.broadcast_to(between, (DRAWS, len(between)))) / told.known
    return np.asarray(np.cumsum(rng.poisson(rates * (told.share * told.asked)), axis=1), dtype=np.int64)


def _deciding_most(passes: Flags, decided: Floats) -> int:
    """The start from which tests go on to decide most on average; `passes`: tests by thresholds."""
    reached = np.zeros(passes.shape)
    so_far = np.zeros(len(passes))
    for place in range(passes.shape[1] - 1, -1, -1):
        so_far = np.where(passes[:, place], np.maximum(so_far, decided[place]), 0.0)
        reached[:, place] = so_far
    fair = passes.mean(axis=0) >= LEAST_CHANCE
    return int(np.argmax(np.where(fair, reached.mean(axis=0), -1.0)))
