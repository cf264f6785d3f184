"""Which thresholds are tried, in which order, begun where: learnt on training cases only.

A side's thresholds are tested one after another, from a start towards looser ones, each at the full level,
until one fails; those before it are proven all together (fixed-sequence testing; Maurer, Hothorn and
Lehmacher 1995; Angelopoulos et al. 2021, "Learn then test"). That holds for any order that knows nothing of
the tested cases. Begun at the strictest threshold it would find nothing: a handful of cases prove no 99%.

Where it begins is learnt. Of many training cases tests are drawn as they may turn out, and it begins where
they would let it decide most on average. Of few, or where people's errors hide the model's, which says little
of what such tests would be, at the loosest of the thresholds that have the best chance to pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pozytywka_spark.factory.proof.binomial import Floats, Whole, chance, most_wrong
from pozytywka_spark.factory.proof.cases import APPROVE, BAD, Cases, Flags, spokesmen, wanted

STEP = 1.05  # each threshold decides so many times as many training cases as the one before
FINE_STEP = 1.02  # the same where there are many
MANY = 1500  # training witnesses; drawn from fewer, tests led to more sides that were truly below
DRAWS = 400
LEAST_CHANCE = 0.3  # of the start; below it is not worth the people's time and only adds false ones
SAME_CHANCE = 0.002  # chances that differ by less are taken for the same
_LAST_CHANCE = 0.05
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
    are_many = len(everyone) >= MANY and not noise
    thresholds = _grid(training, FINE_STEP if are_many else STEP)
    thresholds = thresholds[thresholds >= loosest]
    if not len(thresholds) or limit <= 0.0 or not tested:
        return Sequence(np.empty(0), limit, noise, 0.0)
    bad = spokesmen(training, training.judged() == BAD)
    of_all = np.array(counted(training, thresholds, right), dtype=np.float64)
    decided, disagree = of_all[:, 0], of_all[:, 1]
    missed = np.array([np.sum(training.score[bad] >= each) for each in thresholds], dtype=np.float64)
    learnt = _Learnt(
        decided,
        np.maximum(disagree - noise * decided, 0.0),
        np.maximum(missed - noise * decided, 0.0),
        len(bad),
        tested / max(len(everyone), 1),
        limit,
    )
    best, chosen = (_of_drawn if are_many else _of_chances)(learnt, side, demands)
    if chosen is None:
        return Sequence(np.empty(0), limit, noise, best)
    disagreeing = disagree / np.maximum(decided, 1)
    return Sequence(thresholds[chosen], limit, noise, best, disagreeing[chosen])


@dataclass(frozen=True)
class _Learnt:
    """Of each threshold witnesses `decided`, `wrong`, and bad ones let through (`missed`), of `bad` in all.

    `share`: tested witnesses for one in training; `limit` as in `Sequence`.
    """

    decided: Floats
    wrong: Floats
    missed: Floats
    bad: int
    share: float
    limit: float

    def expected(self) -> Floats:
        """How many a test decides."""
        return np.asarray(np.floor(self.decided * self.share), dtype=np.float64)

    def most(self, demands: Demands) -> Whole:
        """How many wrong ones a test may have."""
        return most_wrong(self.expected(), self.limit, demands.alpha)

    def bad_tested(self) -> float:
        """How many bad ones a test has."""
        return float(np.floor(self.bad * self.share))


def _of_chances(learnt: _Learnt, side: str, demands: Demands) -> tuple[float, slice | None]:
    """The best chance to pass, and thresholds from the loosest that has it; None where it is too small."""
    chances = chance(learnt.wrong, learnt.decided, learnt.expected(), learnt.most(demands))
    if side == APPROVE:
        through = np.floor(learnt.bad_tested() * demands.most_missed)
        bad = np.maximum(learnt.bad, learnt.missed)
        chances = np.minimum(chances, chance(learnt.missed, bad, learnt.bad_tested(), through))
    best = float(chances.max())
    if best < LEAST_CHANCE:
        return best, None
    start = int(np.flatnonzero(chances >= best - SAME_CHANCE).max())
    hopeful = np.flatnonzero(chances >= _LAST_CHANCE)
    return best, slice(start, int(hopeful.max()) + 1)


def _of_drawn(learnt: _Learnt, side: str, demands: Demands) -> tuple[float, slice | None]:
    """The same of drawn tests: thresholds from the start at which these decide most on average."""
    drawn = _drawn(learnt.wrong, learnt.share)
    passes = drawn <= learnt.most(demands)
    if side == APPROVE:
        through = np.floor(learnt.bad_tested() * demands.most_missed)
        passes &= drawn + learnt.share * (learnt.missed - learnt.wrong) <= through
    chances = passes.mean(axis=0)
    best = float(chances.max())
    if best < LEAST_CHANCE:
        return best, None
    end = int(np.flatnonzero(chances >= _LAST_DRAWN).max())
    start = _deciding_most(passes[:, : end + 1], learnt.expected())
    return best, slice(start, end + 1)


def _drawn(wrong: Floats, share: float) -> Whole:
    """Wrong ones at each threshold, of DRAWS tests `share` times as large: tests by thresholds.

    Rates as Jeffreys' prior and the training cases leave them (Gamma), the same along all of a test's
    thresholds, so that what a strict one decides wrongly is among what a loose one does.
    """
    rng = np.random.default_rng(len(wrong))
    between = np.diff(np.maximum.accumulate(wrong), prepend=0.0)
    between[0] += 0.5
    rates = rng.gamma(np.broadcast_to(between, (DRAWS, len(wrong)))) * share
    return np.asarray(np.cumsum(rng.poisson(rates), axis=1), dtype=np.int64)


def _deciding_most(passes: Flags, decided: Floats) -> int:
    """The start from which tests go on to decide most on average; `passes`: tests by thresholds."""
    reached = np.zeros(passes.shape)
    so_far = np.zeros(len(passes))
    for place in range(passes.shape[1] - 1, -1, -1):
        so_far = np.where(passes[:, place], np.maximum(so_far, decided[place]), 0.0)
        reached[:, place] = so_far
    fair = passes.mean(axis=0) >= LEAST_CHANCE
    return int(np.argmax(np.where(fair, reached.mean(axis=0), -1.0)))


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


def _grid(training: Cases, step: float = STEP) -> Floats:
    """Thresholds from strict to loose, each half way from a training case's score to the next lower one.

    Scores of trees lie on few steps, and later cases' just beside them: a threshold on a step would cut it.
    """
    steps = np.unique(-training.score)
    if not len(steps):
        return np.empty(0)
    ordered = np.sort(-training.score)
    sizes = [1.0]
    while sizes[-1] < len(ordered):
        sizes.append(max(sizes[-1] + 1, sizes[-1] * step))
    places = np.minimum(np.array(sizes, dtype=np.int64), len(ordered)) - 1
    chosen = np.searchsorted(steps, np.unique(ordered[places]))
    lower = steps[np.minimum(chosen + 1, len(steps) - 1)]
    return np.asarray(-(steps[chosen] + lower) / 2.0, dtype=np.float64)
