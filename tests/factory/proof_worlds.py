"""Groups of cases with ready scores and known precision at any threshold, and two published rules."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from pozytywka_spark.factory.proof.binomial import precision_low
from pozytywka_spark.factory.proof.cases import APPROVE, NOT_LOOKED, REFUSE, SIDES, Cases, wanted
from pozytywka_spark.factory.proof.looks import Again, asked
from pozytywka_spark.factory.proof.noise import Noise
from pozytywka_spark.factory.proof.prove import prove
from pozytywka_spark.factory.proof.sequence import Demands

TRAINING_SHARE = 0.2
GOOD, UNBLURRED, HOPELESS = "good", "good, no blur", "nine of ten hopeless"
JUST_BELOW, ALIKE = "98.9% at best", "20 cases an account"
NAMES = (GOOD, UNBLURRED, HOPELESS, JUST_BELOW, ALIKE)


@dataclass(frozen=True)
class World:
    """Scores of bad cases are N(`apart`, 1), of ok ones N(0, 1); then a share `blur` of cases, whatever their
    score, is the other way. Cases of one account (`each` of them) share verdict and most of the score.
    """

    bad_share: float
    apart: float
    blur: float = 0.0
    each: int = 1
    noise: float = 0.0

    def precision(self, side: str, threshold: float) -> float:
        """True share of right decisions at or beyond a threshold."""
        return 1.0 - self._wrong(side, threshold) / max(self.decided(side, threshold), 1e-300)

    def decided(self, side: str, threshold: float) -> float:
        """True share of cases decided."""
        bad, ok = self._beyond(side, threshold)
        return bad + ok

    def missed(self, threshold: float) -> float:
        """True share of the bad cases that are approved."""
        bad = self.bad_share * (1 - self.blur) + (1 - self.bad_share) * self.blur
        return self._wrong(APPROVE, threshold) / bad

    def _beyond(self, side: str, threshold: float) -> tuple[float, float]:
        tail = stats.norm.sf if side == REFUSE else stats.norm.cdf
        return (
            self.bad_share * float(tail(threshold - self.apart)),
            (1 - self.bad_share) * float(tail(threshold)),
        )

    def _wrong(self, side: str, threshold: float) -> float:
        bad, ok = self._beyond(side, threshold)
        right, wrong = (bad, ok) if side == REFUSE else (ok, bad)
        return wrong * (1 - self.blur) + right * self.blur


def of_name(name: str, rng: np.random.Generator) -> World:
    """One group's truth in a world of that name."""
    share, good = rng.uniform(0.1, 0.6), rng.uniform(2.5, 4.5)
    if name == HOPELESS and rng.random() < 0.9:
        return World(share, rng.uniform(2, 4), 0.05)
    if name == JUST_BELOW:
        return World(share, rng.uniform(3, 5), 0.011)
    blur = 0.0 if name == UNBLURRED else rng.uniform(0.002, 0.006)
    return World(share, good, blur, each=20 if name == ALIKE else 1)


def draw(
    world: World, count: int, rng: np.random.Generator, *, known: bool = False
) -> tuple[Cases, np.ndarray]:
    """Cases and what they truly are."""
    accounts = math.ceil(count / world.each)
    seems = rng.random(accounts) < world.bad_share
    truth = seems ^ (rng.random(accounts) < world.blur)
    base = rng.normal(size=accounts) + world.apart * seems
    owner = np.repeat(np.arange(accounts), world.each)[:count]
    own = 0.2 if world.each > 1 else 0.0
    score = np.sqrt(1 - own**2) * (base - world.apart * seems)[owner] + own * rng.normal(size=count)
    score += world.apart * seems[owner]
    truth = truth[owner]
    said = truth ^ (rng.random(count) < world.noise)
    cases = Cases(
        score,
        said.astype(np.int64),
        owner.astype(np.int64),
        rng.integers(0, 2**63, count).astype(np.uint64),
        np.full(count, NOT_LOOKED),
    )
    return cases, truth.astype(np.int64)


def of_three(cases: Cases, truth: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """What the majority says of each case if two more are asked, as wrong as the first."""
    others = truth[:, None] ^ (rng.random((len(truth), 2)) < noise)
    return (others.sum(axis=1) + cases.verdict >= 2).astype(np.int64)


@dataclass(frozen=True)
class Group:
    """Training and tested cases, and what three would say of each."""

    training: Cases
    tested: Cases
    of_training: np.ndarray
    of_tested: np.ndarray

    def build(
        self, demands: Demands, most: int, noise: Noise
    ) -> tuple[dict[str, float | None], dict[str, Again]]:
        """Each side's threshold, and what is asked again."""
        proofs = {
            side: prove(self.training, self.tested, side, demands, noise=noise)[0].threshold for side in SIDES
        }
        again = {side: asked(self.training, self.tested, side, demands, most, noise=noise) for side in SIDES}
        return proofs, again

    def answered(self, again: dict[str, Again]) -> Group:
        """After second looks at these."""
        training, tested = self.training.looked.copy(), self.tested.looked.copy()
        for each in again.values():
            training[each.training] = self.of_training[each.training]
            tested[each.tested] = self.of_tested[each.tested]
        return replace(
            self,
            training=replace(self.training, looked=training),
            tested=replace(self.tested, looked=tested),
        )


def noisy_group(
    world: World, count: int, rng: np.random.Generator, share: float = TRAINING_SHARE
) -> tuple[Group, tuple[Cases, Cases]]:
    """A group whose first verdicts are wrong as the world says, and its two halves if nobody erred."""
    cases, truth = draw(world, count, rng)
    three = of_three(cases, truth, world.noise, rng)
    training, tested = halves(cases, share)
    clean = halves(replace(cases, verdict=truth), share)
    return Group(training, tested, three[: len(training)], three[len(training) :]), clean


def halves(cases: Cases, share: float = TRAINING_SHARE) -> tuple[Cases, Cases]:
    """Training and tested cases, no account in both."""
    owner = cases.witness
    first = owner < share * (owner.max() + 1)
    return cases.of(first), cases.of(~first)


def published(training: Cases, tested: Cases, side: str, precision: float = 0.99) -> float | None:
    """The loosest threshold with that precision in training, kept if the test shows it too."""
    threshold = _loosest(training.ranked(side), wanted(side), precision)
    if threshold is None:
        return None
    later = tested.ranked(side)
    decided = later.score >= threshold
    if not decided.any() or np.mean(later.verdict[decided] == wanted(side)) < precision:
        return None
    return threshold if side == REFUSE else -threshold


def _loosest(cases: Cases, right: int, precision: float) -> float | None:
    ranks = np.argsort(-cases.score, kind="stable")
    good = np.cumsum(cases.verdict[ranks] == right) / np.arange(1, len(cases) + 1)
    passing = np.flatnonzero(good >= precision)
    return float(cases.score[ranks[passing.max()]]) if len(passing) else None


def sgr(tested: Cases, side: str, precision: float = 0.99, confidence: float = 0.95) -> float | None:
    """Selection with guaranteed risk: binary search, its bound at a level shared by all steps.

    Geifman and El-Yaniv 2017, "Selective classification for deep neural networks", algorithm 2.
    """
    later, right = tested.ranked(side), wanted(side)
    scores = np.sort(later.score)
    steps = math.ceil(math.log2(len(scores)))
    least, most, found = 0, len(scores) - 1, None
    for _ in range(steps):
        middle = (least + most + 1) // 2
        decided = later.score >= scores[middle]
        wrong = int(np.sum(later.verdict[decided] != right))
        low = precision_low(wrong, int(decided.sum()), 1 - (1 - confidence) / steps)
        if low >= precision:
            found, most = float(scores[middle]), middle
        else:
            least = middle
    if found is None:
        return None
    return found if side == REFUSE else -found
