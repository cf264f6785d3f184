"""Second looks: which tested cases people are asked about again, and how often people err.

People err, and a percent of wrong verdicts hides any 99%. So tested cases where verdict and model disagree
are asked again, and the majority of three counts (`Cases.looked`). Two things remain.

Where more disagree than can be asked, the strictest are: thresholds are then tried as far as all that
disagrees was asked (`loosest`), and the next build goes on from there. Where only a part of an account's
cases was asked, the share of wrong decisions is the share of disagreements times the share of them that are
upheld; it lies below a limit if for some `d`, fixed beforehand, the first is refuted to be `d` and the second
to be `limit / d` (`prove.tried`).

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
_WHOLE = 2.5  # times as many, where so many disagree


def least_disagreement(training: Cases, side: str) -> float:
    """Where the model is surest, disagreement is people's: the least share of it at any threshold.

    One more disagreement than there is, so that a lucky hundred isn't taken for people who never err.
    """
    ranked = training.ranked(side)
    shares = [
        (wrong + 1) / decided
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
    strict_first = speaking[np.argsort(-turned.score[speaking], kind="stable")]
    differs = turned.verdict[strict_first] != wanted(side)
    new = np.cumsum(differs & (tested.looked[strict_first] == NOT_LOOKED)) <= _WHOLE * most
    inside = strict_first[new]
    disagreeing, agreeing = inside[differs[new]], inside[~differs[new]]
    agreeing = agreeing[np.argsort(tested.order[agreeing])]
    picked = np.concatenate([disagreeing, agreeing[: max(len(disagreeing), 1)]])
    return np.asarray(picked[tested.looked[picked] == NOT_LOOKED], dtype=np.int64)


def loosest(tested: Cases, side: str) -> float:
    """Down to which score (`Cases.ranked`) all that disagrees was asked again; no bound if nothing was."""
    everyone = spokesmen(tested, np.ones(len(tested), np.bool_))
    differs = everyone[tested.verdict[everyone] != wanted(side)]
    asked_again = tested.looked[differs] != NOT_LOOKED
    unasked = tested.score[differs[~asked_again]]
    edge = float(unasked.max()) if len(unasked) else -np.inf
    return float(np.nextafter(edge, np.inf)) if np.any(tested.score[differs[asked_again]] > edge) else -np.inf
