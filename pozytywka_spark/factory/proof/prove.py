"""The test itself: thresholds of a learnt sequence on later cases, until one fails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.factory.proof.binomial import Whole, fewest, p_value, precision_low
from pozytywka_spark.factory.proof.cases import APPROVE, BAD, Cases, Flags, spokesmen, wanted
from pozytywka_spark.factory.proof.learnt import in_group, looked_down_to
from pozytywka_spark.factory.proof.lots import asked_share, lots, was_looked
from pozytywka_spark.factory.proof.noise import NOBODY_ERRS, Noise
from pozytywka_spark.factory.proof.sequence import Demands, Sequence, learn


@dataclass(frozen=True)
class Proof:
    """A side's outcome: `threshold` (of the score as it came) is None where it is discarded, for `reason`.

    `tested` and `wrong` count witnesses at the threshold, or at the start where that failed; where only a
    part of what disagrees was asked again, that part of the witnesses.
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
    low: float
    coverage: float
    p: float
    why: str


def prove(
    training: Cases, tested: Cases, side: str, demands: Demands, *, noise: Noise = NOBODY_ERRS
) -> tuple[Proof, Sequence]:
    """The loosest threshold proven right, and the sequence that was tried."""
    witnesses = tested.witnesses
    needed = fewest(demands.precision, demands.confidence)
    learning, later = training.ranked(side), tested.ranked(side)
    noise = in_group(learning, side, noise)
    loosest = looked_down_to(learning, side) if noise.share else -np.inf
    asked = _asked(later, side, loosest) if loosest > -np.inf else None
    sequence = learn(learning, witnesses, side, demands, noise, loosest=loosest, asked=asked)
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
    return walk(later, sequence, side, demands), sequence


def _asked(tested: Cases, side: str, loosest: float) -> int:
    """How many that disagree people were asked again."""
    differs = (tested.score >= loosest) & (tested.verdict != wanted(side))
    return int(np.sum(differs & was_looked(tested)))


def walk(tested: Cases, sequence: Sequence, side: str, demands: Demands) -> Proof:
    """Test one threshold after another until one fails; `tested` are `Cases.ranked`."""
    kept: tuple[float, Trial] | None = None
    failed: Trial | None = None
    for threshold in sequence.thresholds:
        trial = tried(tested, float(threshold), sequence, side, demands)
        if trial.p > demands.alpha:
            failed = trial
            break
        kept = float(threshold), trial
    if kept is None:
        assert failed is not None
        return Proof(side, None, failed.tested, failed.wrong, failed.low, 0.0, f"not proven: {failed.why}")
    threshold, trial = kept
    reason = f"proven: {trial.wrong} of {trial.tested} wrong"
    turned = threshold if side != APPROVE else -threshold
    return Proof(side, turned, trial.tested, trial.wrong, trial.low, trial.coverage, reason)


def tried(tested: Cases, threshold: float, sequence: Sequence, side: str, demands: Demands) -> Trial:
    """All that a threshold must refute, on tested cases: a union of doubts, each at the full level."""
    decided = tested.score >= threshold
    judged, right, noise = tested.judged(), wanted(side), sequence.noise
    speaking = spokesmen(tested, decided)
    seen = _seen(tested.of(speaking), right, noise)
    coverage = float(np.mean(decided)) if len(tested) else 0.0
    limit = noise.visible(sequence.limit, seen.overturned)
    doubts = [
        (seen.p(limit), f"{seen.wrong} of {seen.tested} wrong, {sequence.limit:.2%} to be refuted"),
    ]
    if np.sum(decided) > len(speaking):
        # accounts with more cases than others weigh more among cases than among accounts
        share = _share_of_cases(tested.of(decided), right, noise)
        doubts.append((1.0 if share > limit else 0.0, f"{share:.2%} of the cases wrong, {limit:.2%} allowed"))
    agreeing = decided & (tested.verdict == right) & was_looked(tested)
    overturned = int(np.sum(tested.looked[agreeing] != right))
    if overturned:
        share = overturned / int(agreeing.sum()) * float(np.mean(tested.verdict[decided] == right))
        why = f"{overturned} of {int(agreeing.sum())} agreed cases were wrong at a second look"
        doubts.append((seen.p(max(limit - share, 1e-9)), why))
    if side == APPROVE:
        bad = spokesmen(tested, judged == BAD)
        through = _through(tested, bad, decided)
        others = float(np.sum(~decided[bad]))
        if noise.share:  # people's errors make bad cases of ok ones, too
            ok = tested.witnesses - len(speaking) - others
            others = max(0.0, others - noise.share * max(ok, 0.0))
        too_many = through > demands.most_missed * (others + through)
        doubts.append(
            (
                float(too_many),
                f"{through} of {len(bad)} bad cases let through, {demands.most_missed:.0%} allowed",
            )
        )
    p, why = max(doubts)
    low = precision_low(seen.wrong, seen.witnesses, demands.confidence)
    low = max(0.0, 1.0 - noise.true((1.0 - low) / seen.share, seen.overturned))
    return Trial(seen.tested, seen.wrong, low, coverage, p, why)


@dataclass(frozen=True)
class _Seen:
    """Of deciding `witnesses`: those seen as wrong, in a `share` of them; `overturned`: the share of all
    whose first verdict others found wrong.
    """

    witnesses: int
    wrong: int
    share: float
    overturned: float

    @property
    def tested(self) -> int:
        """How many witnesses that says something of."""
        return round(self.witnesses * self.share)

    def p(self, limit: float) -> float:
        """The probability to see so few if a share `limit` was to be seen as wrong."""
        return float(p_value(self.wrong, self.witnesses, limit * self.share))


def _seen(speaking: Cases, right: int, noise: Noise) -> _Seen:
    """What is wrong, of all where nobody errs, else down to the last lot that was asked about again."""
    judged = speaking.judged()
    wrong = judged != right
    if not noise.share:
        return _Seen(len(speaking), int(wrong.sum()), 1.0, 0.0)
    lot, differs = lots(speaking), speaking.verdict != right
    share = asked_share(lot[differs], was_looked(speaking)[differs])
    within = differs & (lot <= share)
    overturned = int(np.sum(within & ~wrong))
    return _Seen(
        len(speaking), int(np.sum(within & wrong)), share, overturned / (share * max(len(speaking), 1))
    )


def _share_of_cases(decided: Cases, right: int, noise: Noise) -> float:
    """The share of wrong decisions among cases, without the people's errors that nobody looked for."""
    differs, looked = decided.verdict != right, was_looked(decided)
    wrong = decided.judged() != right
    overturned = np.sum(differs & looked & ~wrong)
    unlooked = np.sum(differs & ~looked)
    theirs = min(max(noise.share * len(decided) - overturned, 0.0), float(unlooked))
    return float((np.sum(wrong) - theirs) / max(len(decided), 1))


def _through(tested: Cases, bad: Whole, decided: Flags) -> int:
    """How many bad cases are let through; of those not asked again as large a share as of those asked."""
    approved = bad[decided[bad]]
    looked = was_looked(tested)
    asked = decided & (tested.verdict == BAD) & looked
    if not asked.any():
        return len(approved)
    unasked = int(np.sum((tested.verdict[approved] == BAD) & ~looked[approved]))
    upheld = float(np.mean(tested.looked[asked] == BAD))
    return len(approved) - unasked + round(unasked * upheld)
