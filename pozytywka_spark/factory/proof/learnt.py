"""What training cases tell of thresholds: witnesses decided at each, and how many of them wrongly.

Where people err, first verdicts show their errors beside the model's. Second looks at training cases tell
them apart: what is right and wrong among those asked, as many as were asked stand for. Where hardly any was,
people's share of errors is taken off, which leaves a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pozytywka_spark.factory.proof.binomial import Floats, Whole, most_wrong
from pozytywka_spark.factory.proof.cases import BAD, Cases, Flags, spokesmen, wanted
from pozytywka_spark.factory.proof.lots import lots, was_looked
from pozytywka_spark.factory.proof.noise import MOST_NOISE, Noise

STEP = 1.05  # each threshold decides so many times as many training cases as the one before
FINE_STEP = 1.02  # the same where there are many
_ENOUGH = 0.25  # of the disagreeing cases were looked at again: more is learnt of them than of first verdicts
_NEARLY_ALL = 0.95  # of those that were to be; the rest may still be on people's desks
_MOST_OF_THEM = 0.75  # another model takes other cases for its surest, and some of them were never to be
_ALL_ASKED = 0.9  # expected share from which on all that disagrees is taken to have been asked


@dataclass(frozen=True)
class Learnt:
    """Of each threshold witnesses `decided`, about how many of them `wrong`, and about how many bad ones let
    through (`missed`), of `bad` in all.

    `known`: the share of witnesses, as it were, that this is known of. `share`: tested witnesses for one in
    training, of which `asked` say something; `limit`: share of seen errors that a test refutes.
    """

    decided: Floats
    wrong: Floats
    missed: Floats
    known: Floats
    bad: float
    share: float
    asked: float
    limit: Floats

    def expected(self) -> Floats:
        """How many a test decides and says something of."""
        return np.asarray(np.floor(self.decided * self.share * self.asked), dtype=np.float64)

    def most(self, alpha: float) -> Whole:
        """How many wrong ones a test may have."""
        return most_wrong(self.expected(), self.limit, alpha)

    def bad_tested(self) -> float:
        """How many bad ones a test has."""
        return float(np.floor(self.bad * self.share))


def learnt(
    training: Cases, thresholds: Floats, tested: int, side: str, limit: float, noise: Noise, asked: int | None
) -> Learnt:
    """From training cases (`Cases.ranked`), for `tested` witnesses; `asked` as in `sequence.learn`."""
    right = wanted(side)
    judged, looked = training.judged(), was_looked(training)
    differs = (training.verdict if noise.share else judged) != right
    again = differs & looked & (noise.share > 0)
    told = counted(training, thresholds, [differs, again, again & (judged != right)])
    decided, disagree, seen, upheld = (told[:, place] for place in range(4))
    known = np.where(disagree > 0, seen / np.maximum(disagree, 1.0), 1.0 if looked.any() else 0.0)
    is_known = known >= _ENOUGH
    scale = np.maximum(known, _ENOUGH)
    guessed = np.maximum(disagree - noise.share * decided, 0.0)
    wrong = np.where(is_known, upheld / scale, guessed)
    overturned = np.where(is_known, (seen - upheld) / scale, 0.0) / np.maximum(decided, 1.0)

    is_bad = judged == BAD
    bad = spokesmen(training, is_bad)
    missed = np.searchsorted(np.sort(-training.score[bad]), -thresholds, side="right").astype(np.float64)
    if noise.share:
        missed *= np.minimum(1.0, wrong / np.maximum(disagree, 1.0))
    everyone = spokesmen(training, np.ones(len(training), np.bool_))
    share = tested / max(len(everyone), 1)
    part = 1.0 if asked is None else min(1.0, asked / max(disagree[-1] * share, 1.0))
    return Learnt(
        decided,
        wrong,
        missed,
        np.where(is_known, scale, 1.0),
        max(len(bad) - noise.share * (len(everyone) - len(bad)), 0.0),
        share,
        1.0 if part > _ALL_ASKED else part,
        noise.visible(limit, overturned),
    )


def looked_down_to(training: Cases, side: str) -> float:
    """The loosest threshold to which training cases (`Cases.ranked`) were asked about again; no bound where
    none was, or where it can't be told.
    """
    differs, looked = training.verdict != wanted(side), was_looked(training)
    if not np.any(differs & looked):
        return -np.inf
    lot, thresholds = lots(training), grid(training, FINE_STEP)
    drawn = differs & (lot <= _last_lot(training, lot, differs, looked))
    _, due, done = counted(training, thresholds, [drawn, drawn & looked]).T
    fine = np.flatnonzero((done > 0) & (done >= _NEARLY_ALL * due))
    return float(thresholds[fine.max()]) if len(fine) else -np.inf


def in_group(training: Cases, side: str, noise: Noise) -> Noise:
    """People's errors as this group's training cases (`Cases.ranked`) show them, where these are more.

    `noise` is of second looks and of all groups; first verdicts may be worse, and some groups harder.
    """
    loosest, right = looked_down_to(training, side), wanted(side)
    if not np.isfinite(loosest):
        return noise
    speaking = training.of(spokesmen(training, training.score >= loosest))
    differs, looked = speaking.verdict != right, was_looked(speaking)
    known = float(np.mean(looked[differs])) if differs.any() else 0.0
    overturned = int(np.sum(differs & looked & (speaking.looked == right)))
    share = overturned / (known * len(speaking)) if known >= _ENOUGH else 0.0
    return replace(noise, share=max(noise.share, min(share, MOST_NOISE)))


def _last_lot(cases: Cases, lot: Floats, differs: Flags, looked: Flags) -> float:
    """Down to which lot those that disagree were asked; told by the stricter half of those asked."""
    half = differs & (cases.score >= np.median(cases.score[differs & looked]))
    by_lot = np.argsort(lot[half])
    done = looked[half][by_lot]
    fine = np.flatnonzero(done & (np.cumsum(done) >= _MOST_OF_THEM * np.arange(1, len(by_lot) + 1)))
    return float(lot[half][by_lot][fine.max()]) if len(fine) else -np.inf


def counted(cases: Cases, thresholds: Floats, flags: list[Flags]) -> Floats:
    """Of each threshold: witnesses decided, and those of them that have each of the `flags`."""
    if cases.witnesses == len(cases):
        ranks = np.argsort(-cases.score, kind="stable")
        ends = np.searchsorted(-cases.score[ranks], -thresholds, side="right")
        so_far = [np.concatenate([[0], np.cumsum(each[ranks])])[ends] for each in flags]
        return np.array([ends, *so_far], dtype=np.float64).T
    rows = []
    for threshold in thresholds:
        speaking = spokesmen(cases, cases.score >= threshold)
        rows.append([len(speaking), *(int(each[speaking].sum()) for each in flags)])
    return np.array(rows, dtype=np.float64).reshape(len(rows), 1 + len(flags))


def grid(training: Cases, step: float) -> Floats:
    """Thresholds from strict to loose, each half way from a training case's score to the next lower one, each
    deciding `step` times as many as the one before.

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
