"""Fresh cases of a side in shadow: a test that may be looked at as often as anyone likes.

Against "at least `limit` of its decisions are wrong" stands a mixture of better shares. With each case a bet
is settled: its likelihood under the better share over that under the limit. While the side is no better than
the limit, the product is a supermartingale, so it ever reaches 1 / alpha with probability alpha at most
(Ville 1939; Robbins 1970): of sides truly at the limit so many go live, whoever asks after every case. The
product depends on nothing but the counts. A plain binomial test that is asked again and again has no such
bound.

First verdicts are wrong at times, and what they speak against is looked at again. Until then it counts as
wrong: whatever order answers come in, and whoever never answers, what is seen of the first so many cases is
then no better than what it comes to, and the bound holds. Nor is any case left out: to stop at the first that
waits would be as safe, but one that nobody answers would hold up all later ones. What wrong verdicts hide,
where they agree with a wrong decision, lowers the limit (`noise.visible`); what people wrongly uphold against
the model isn't taken off.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize

# better shares, in limits, and what is bet on each; more on none at all would cost those that err at times
_TIMES = np.array([0.0, 0.15, 0.3, 0.5])
_STAKES = np.array([3.0, 2.0, 2.0, 2.0]) / 9.0


def log_evidence(wrong: int, tested: int, limit: float) -> float:
    """How many times likelier a better side is, as a logarithm."""
    with np.errstate(divide="ignore"):
        of_wrong = wrong * np.log(_TIMES) if wrong else np.zeros(len(_TIMES))
    of_right = (tested - wrong) * (np.log1p(-_TIMES * limit) - math.log1p(-limit))
    return float(np.logaddexp.reduce(of_wrong + of_right + np.log(_STAKES)))


def is_proven(wrong: int, tested: int, limit: float, alpha: float) -> bool:
    """Whether it is refuted, at level `alpha` however often it is asked, that so many are wrong."""
    return log_evidence(wrong, tested, limit) >= -math.log(alpha)


def low_at_any_time(wrong: int, tested: int, alpha: float) -> float:
    """The lower bound of the share of right decisions that holds at all times at once; 0 without one."""

    def missing(limit: float) -> float:
        return log_evidence(wrong, tested, limit) + math.log(alpha)

    nearly = 1.0 - 1e-9
    if tested <= wrong or missing(nearly) <= 0:
        return 0.0
    return 1.0 - float(optimize.brentq(missing, 1e-12, nearly, xtol=1e-12))


def fewest_at_any_time(limit: float, alpha: float) -> int:
    """How many without a single wrong one prove it: 353 for 0.01 at 0.05."""
    enough = 1
    while not is_proven(0, enough, limit, alpha):
        enough *= 2
    return next(count for count in range(enough // 2, enough + 1) if is_proven(0, count, limit, alpha))
