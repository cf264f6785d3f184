"""The test itself: thresholds of a learnt sequence on later cases, until one fails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.factory.proof.binomial import Whole, fewest, p_value, precision_low
from pozytywka_spark.factory.proof.cases import APPROVE, BAD, NOT_LOOKED, Cases, Flags, spokesmen, wanted
from pozytywka_spark.factory.proof.looks import loosest
from pozytywka_spark.factory.proof.sequence import Demands, Sequence, learn


@dataclass(frozen=True)
class Proof:
    """A side's outcome: `threshold` (of the score as it came) is None where it is discarded, for `reason`.

    `tested` and `wrong` count witnesses at the threshold, or at the start where that failed.
    """

    side: str
    threshold: float | None
    tested: int
    wrong: int
    precision_low: float
    coverage: float
    reason: str

    @property
    def is_kept(self) -> bool:
        """Whether it may decide."""
        return self.threshold is not None


@dataclass(frozen=True)
class Trial:
    """One threshold on the tested cases: `p` is the largest of its tests' p-values, `why` that test."""

    tested: int
    wrong: int
    coverage: float
    p: float
    why: str


def prove(
    training: Cases, tested: Cases, side: str, demands: Demands, *, noise: float = 0.0
) -> tuple[Proof, Sequence]:
    """The loosest threshold proven right, and the sequence that was tried."""
    witnesses = len(np.unique(tested.witness))
    needed = fewest(demands.precision, demands.confidence)
    edge = loosest(tested.ranked(side), side)
    sequence = learn(training.ranked(side), witnesses, side, demands, noise, edge)
    if sequence.is_needless:
        reason = f"deciding everything this way is right in {demands.precision:g} already: no model is needed"
        return Proof(side, None, 0, 0, 0.0, 0.0, reason), sequence
    if witnesses < needed:
        reason = (
            f"too few accounts: {witnesses} tested, {needed} without an error prove {demands.precision:g}"
        )
        return Proof(side, None, witnesses, 0, 0.0, 0.0, reason), sequence
    if not len(sequence.thresholds):
        reason = f"training cases give no threshold a fair chance (best {sequence.best_chance:.2f})"
        return Proof(side, None, 0, 0, 0.0, 0.0, reason), sequence
    return walk(tested.ranked(side), sequence, side, demands), sequence


def walk(tested: Cases, sequence: Sequence, side: str, demands: Demands) -> Proof:
    """Test one threshold after another until one fails; `tested` are `Cases.ranked`."""
    kept: tuple[float, Trial] | None = None
    failed: Trial | None = None
    for threshold, expected in zip(sequence.thresholds, sequence.disagreeing, strict=True):
        trial = tried(tested, float(threshold), float(expected), sequence, side, demands)
        if trial.p > demands.alpha:
            failed = trial
            break
        kept = float(threshold), trial
    if kept is None:
        assert failed is not None
        low = precision_low(failed.wrong, failed.tested, demands.confidence)
        return Proof(side, None, failed.tested, failed.wrong, low, 0.0, f"not proven: {failed.why}")
    threshold, trial = kept
    low = precision_low(trial.wrong, trial.tested, demands.confidence)
    reason = f"proven: {trial.wrong} of {trial.tested} wrong"
    turned = threshold if side != APPROVE else -threshold
    return Proof(side, turned, trial.tested, trial.wrong, low, trial.coverage, reason)


def tried(
    tested: Cases, threshold: float, expected: float, sequence: Sequence, side: str, demands: Demands
) -> Trial:
    """All that a threshold must refute, on tested cases: a union of doubts, each at the full level.

    `expected`: the share of disagreements that training cases led one to expect there.
    """
    decided = tested.score >= threshold
    judged, right = tested.judged(), wanted(side)
    speaking = spokesmen(tested, decided)
    wrong = int(np.sum(judged[speaking] != right))
    count = len(speaking)
    coverage = float(np.mean(decided)) if len(tested) else 0.0
    limit = sequence.limit * _seen_share(sequence.noise)
    doubts = _wrong_doubts(tested, speaking, right, limit, expected)
    if np.sum(decided) > count:
        # accounts with more cases than others weigh more among cases than among accounts
        share = float(np.mean(judged[decided] != right))
        doubts.append((1.0 if share > limit else 0.0, f"{share:.2%} of the cases wrong, {limit:.2%} allowed"))
    agreeing = decided & (tested.verdict == right) & (tested.looked != NOT_LOOKED)
    overturned = int(np.sum(tested.looked[agreeing] != right))
    if overturned:
        share = overturned / int(agreeing.sum()) * float(np.mean(tested.verdict[decided] == right))
        visible = max(limit - share, 1e-9)
        doubts.append(
            (
                float(p_value(wrong, count, visible)),
                f"{overturned} of {int(agreeing.sum())} agreed cases were wrong at a second look",
            )
        )
    if side == APPROVE:
        bad = spokesmen(tested, judged == BAD)
        through = _through(tested, bad, decided)
        too_many = through > demands.most_missed * (len(bad) - int(np.sum(decided[bad])) + through)
        doubts.append(
            (
                float(too_many),
                f"{through} of {len(bad)} bad cases let through, {demands.most_missed:.0%} allowed",
            )
        )
    p, why = max(doubts)
    return Trial(count, wrong, coverage, p, why)


def _wrong_doubts(
    tested: Cases, speaking: Whole, right: int, limit: float, expected: float
) -> list[tuple[float, str]]:
    """That too many decisions are wrong: of all, or where only a part of the disagreeing was asked again,
    as a product of two shares (see `looks`).
    """
    count = len(speaking)
    judged = tested.judged()[speaking]
    differs = tested.verdict[speaking] != right
    asked = differs & (tested.looked[speaking] != NOT_LOOKED)
    wrong, disagreeing, looked = int(np.sum(judged != right)), int(differs.sum()), int(asked.sum())
    if not looked or looked == disagreeing or wrong == disagreeing:
        return [(float(p_value(wrong, count, limit)), f"{wrong} of {count} wrong, {limit:.2%} to be refuted")]
    share = min(1.0, expected + 2.0 * float(np.sqrt(expected * (1 - expected) / count)) + 1.0 / count)
    upheld = int(np.sum(judged[asked] != right))
    return [
        (float(p_value(disagreeing, count, share)), f"{disagreeing} of {count} disagree"),
        (
            float(p_value(upheld, looked, min(1.0, limit / share))),
            f"{upheld} of {looked} looked at again are wrong, of {disagreeing} that disagree among {count}",
        ),
    ]


def _through(tested: Cases, bad: Whole, decided: Flags) -> int:
    """How many bad cases are let through; of those not asked again as large a share as of those asked."""
    approved = bad[decided[bad]]
    first = tested.verdict[approved] == BAD
    asked = decided & (tested.verdict == BAD) & (tested.looked != NOT_LOOKED)
    if not asked.any():
        return len(approved)
    unasked = int(np.sum(first & (tested.looked[approved] == NOT_LOOKED)))
    upheld = float(np.mean(tested.looked[asked] == BAD))
    return len(approved) - unasked + round(unasked * upheld)


def _seen_share(noise: float) -> float:
    """The share of true errors that verdicts show, if people err apart from the model: the first verdict was
    right, and the two others weren't both wrong.
    """
    return (1.0 - noise) * (1.0 - noise**2)
