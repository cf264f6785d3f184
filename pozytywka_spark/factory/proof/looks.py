"""Second looks: which cases people are asked about again.

People err, and a percent of wrong verdicts hides any 99%. So cases where verdict and model disagree are asked
again, and the majority of three counts (`Cases.looked`): tested ones, for the test counts what is wrong among
them, and training ones, for the order of thresholds is learnt of them. Those at or beyond the loosest
threshold that might be proven (`sequence.reach`) are asked by lot: the ones asked then stand for all
(`lots`), and the next build goes on from there.

Where verdict and model agree, both may be wrong. If people err apart from the model, that is their share of
errors of the model's, which the limit is lowered by (`noise`). A random part of the agreeing cases is asked
too: each overturned one counts for all that it stands for, and more are asked then. What three people all
take for right stays unseen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.factory.proof.binomial import Whole
from pozytywka_spark.factory.proof.cases import Cases, Flags, spokesmen, wanted
from pozytywka_spark.factory.proof.learnt import STEP, counted, grid, in_group
from pozytywka_spark.factory.proof.lots import by_lot, was_looked
from pozytywka_spark.factory.proof.noise import MOST_NOISE, NOBODY_ERRS, Noise
from pozytywka_spark.factory.proof.sequence import Demands, reach

_FEWEST = 100  # of cases for a share of wrong verdicts
_WHOLE = 2.5  # times as many are asked at once, where so many disagree


@dataclass(frozen=True)
class Again:
    """Positions of cases to ask about again: of training and of tested ones."""

    training: Whole
    tested: Whole


def asked(
    training: Cases, tested: Cases, side: str, demands: Demands, most: int, noise: Noise = NOBODY_ERRS
) -> Again:
    """Where verdict and model disagree, `most` or so of either, and as many tested ones where they agree."""
    witnesses, learning = tested.witnesses, training.ranked(side)
    noise = in_group(learning, side, noise)
    guess = noise if noise.share else Noise(least_disagreement(training, side))
    loosest = reach(learning, witnesses, side, demands, guess) if most else None
    if loosest is None:
        return Again(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    turned, enough = tested.ranked(side), int(_WHOLE * most)
    disagreeing = _new(turned, loosest, side, differ=True)[:enough]
    wanted_agreeing = most if _was_overturned(turned, loosest, side) else min(most, max(len(disagreeing), 1))
    agreeing = _new(turned, loosest, side, differ=False)[:wanted_agreeing]
    return Again(_new(learning, loosest, side, differ=True)[:enough], np.concatenate([disagreeing, agreeing]))


def least_disagreement(training: Cases, side: str) -> float:
    """Where the model is surest, disagreement is people's: the least share of it at any threshold.

    A few more disagreements than there are, so that a lucky hundred isn't taken for people who hardly err.
    """
    ranked = training.ranked(side)
    told = counted(ranked, grid(ranked, STEP), [ranked.judged() != wanted(side)])
    enough = told[told[:, 0] >= min(_FEWEST, len(training))]
    shares = [(wrong + 1.0 + 0.5 * np.sqrt(wrong)) / decided for decided, wrong in enough]
    return float(min(MOST_NOISE, min(shares, default=0.0)))


def _new(cases: Cases, loosest: float, side: str, *, differ: bool) -> Whole:
    """By lot, cases not asked about yet that speak for their witness at `loosest` or a stricter threshold."""
    differs = cases.verdict != wanted(side)
    return by_lot(cases, _ever_speaking(cases, loosest) & (differs == differ) & ~was_looked(cases))


def _was_overturned(cases: Cases, loosest: float, side: str) -> bool:
    """Whether of agreeing cases that were asked about again one was wrong."""
    agreeing = (cases.score >= loosest) & (cases.verdict == wanted(side)) & was_looked(cases)
    return bool(np.any(cases.looked[agreeing] != wanted(side)))


def _ever_speaking(cases: Cases, loosest: float) -> Flags:
    """Which speak for their witness (`spokesmen`) at some threshold from `loosest` on."""
    speaking = np.zeros(len(cases), np.bool_)
    left = cases.score >= loosest
    while left.any():
        speaks = spokesmen(cases, left)
        speaking[speaks] = True
        # a stricter threshold leaves the spokesman out, and all whose score is no higher
        at = np.full(int(cases.witness.max()) + 1, -np.inf)
        at[cases.witness[speaks]] = cases.score[speaks]
        left &= cases.score > at[cases.witness]
    return speaking
