"""Second looks: which tested cases people are asked about again, and how often people err.

People err, and a percent of wrong verdicts hides any 99%. So tested cases where verdict and model disagree are
asked again, and the majority of three counts (`Cases.looked`). Two things remain.

Where more disagree than were asked, a random part was. The share of wrong decisions is then the share of
disagreements times the share of them that are upheld; it lies below a limit if for some `d`, fixed
beforehand, the first is refuted to be `d` and the second to be `limit / d` (`prove.tried`).

Where verdict and model agree, both may be wrong. If people err apart from the model, that is `noise` of the
model's errors, which the limit is lowered by. A random part of the agreeing cases is asked too: each
overturned one counts for all that it stands for. What three people all take for right stays unseen.
"""

from __future__ import annotations

import numpy as np

from pozytywka_spark.factory.proof.binomial import Whole
from pozytywka_spark.factory.proof.cases import NOT_LOOKED, Cases, spokesmen, wanted
from pozytywka_spark.factory.proof.sequence import Sequence, _grid, counted

MOST_NOISE = 0.1
_FEWEST = 100  # of cases for a share of wrong verdicts
_WHOLE = 1.5  # times as many as asked for are asked whole


def least_disagreement(training: Cases, side: str) -> float:
    """Where the model is surest, disagreement is people's: the least share of it among strict thresholds."""
    ranked = training.ranked(side)
    shares = [
        wrong / decided
        for decided, wrong in counted(ranked, _grid(ranked), wanted(side))
        if decided >= min(_FEWEST, len(training))
    ]
    return min(MOST_NOISE, min(shares, default=0.0))


def asked(tested: Cases, sequence: Sequence, side: str, most: int) -> Whole:
    """Positions of cases to ask about again: where verdict and model disagree, and as many where they agree.

    They lie at or beyond the sequence's loosest threshold; drawn by the cases' stated order.
    """
    if not len(sequence.thresholds) or not most:
        return np.empty(0, dtype=np.int64)
    turned = tested.ranked(side)
    speaking = spokesmen(turned, turned.score >= sequence.thresholds[-1])
    differs = turned.verdict[speaking] != wanted(side)
    by_order = speaking[np.argsort(tested.order[speaking])]
    differs = turned.verdict[by_order] != wanted(side)
    disagreeing, agreeing = by_order[differs], by_order[~differs]
    if len(disagreeing) > _WHOLE * most:
        disagreeing = disagreeing[:most]
    picked = np.concatenate([disagreeing, agreeing[: max(len(disagreeing), 1)]])
    return picked[tested.looked[picked] == NOT_LOOKED]
