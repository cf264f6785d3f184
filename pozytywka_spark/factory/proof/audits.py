"""Audits of a live side: a test that may be looked at after every case, and never wears out.

Against "at most `limit` of its decisions are wrong" stands a mixture of worse shares. With each audited
case a bet is settled: its likelihood under the worse share over that under the limit. While the side is as
good as demanded, the product is a supermartingale, so it ever reaches 1 / alpha with probability alpha at
most (Ville 1939; Robbins 1970), however often one looks.

First verdicts are wrong at times, and what they speak against is looked at again. Until then it counts as
right: of each audit's case the evidence is then no more than what it comes to, so that a good side is
withdrawn no oftener, whatever order answers come in. (To stop at the first case that waits would be as safe
and find less; to count it as wrong would withdraw good sides for people's errors.) So that a side that fell
doesn't stay until people have looked again, first verdicts are tested too, with a small part of the level,
against a limit that even people who err in a tenth would keep.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pozytywka_spark.factory.proof.binomial import Floats
from pozytywka_spark.factory.proof.noise import MOST_NOISE, NOBODY_ERRS, Noise

ALPHA = 0.01  # of all sides that are as good as demanded, this share is ever withdrawn
_AT_FIRST = 0.05  # of that, by first verdicts
# worse shares, in limits, and what is bet on each
_TIMES = np.array([1.5, 2.0, 3.0, 4.0, 6.0, 10.0, 20.0])
_STAKES = np.array([1.0, 1.0, 1.0, 2.0, 2.0, 1.0, 1.0]) / 9.0


def evidence(wrong: Sequence[bool], limit: float) -> Floats:
    """After each audit, in their order of time: how many times likelier a worse side is."""
    seen = np.asarray(wrong, dtype=np.bool_)
    worse = np.minimum(limit * _TIMES, 0.5)[:, None]
    steps = np.where(seen, np.log(worse / limit), np.log((1 - worse) / (1 - limit)))
    paths = np.cumsum(steps, axis=1)
    return np.asarray(_STAKES @ np.exp(np.minimum(paths, 700.0)), dtype=np.float64)


def withdrawn_at(wrong: Sequence[bool], limit: float, alpha: float = ALPHA) -> int | None:
    """The audit after which the side is withdrawn, None if it stays."""
    reached = np.flatnonzero(evidence(wrong, limit) >= 1.0 / alpha)
    return int(reached[0]) if len(reached) else None


def allowed(limit: float, noise: Noise) -> float:
    """The share seen as wrong, after second looks, of a side at the limit."""
    return max(limit, noise.after_looks(limit))


def withdrawn_after_looks(
    wrong: Sequence[bool], at_first: Sequence[bool], limit: float, noise: Noise = NOBODY_ERRS
) -> int | None:
    """The same where people err: `wrong` after second looks (not yet, while a case waits for one), `at_first`
    by first verdicts; in the order of these.
    """
    by_looks = withdrawn_at(wrong, allowed(limit, noise), (1.0 - _AT_FIRST) * ALPHA)
    by_first = withdrawn_at(at_first, Noise(MOST_NOISE).at_first(limit), _AT_FIRST * ALPHA)
    return min((place for place in (by_looks, by_first) if place is not None), default=None)
