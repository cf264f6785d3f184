"""Exact binomial tails: how sure it is that a share of wrong decisions lies below a limit.

Clopper and Pearson (1934): of `tested` independent decisions `wrong` were wrong. That the share of wrong ones
is `limit` or more is refuted at level `alpha` if so few would then be seen with a probability of at most
`alpha`; the upper bound of the share is the smallest limit that is refuted.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


def p_value(wrong: npt.ArrayLike, tested: npt.ArrayLike, limit: npt.ArrayLike) -> Floats:
    """The probability of at most `wrong` of `tested` if each is wrong with probability `limit`."""
    return np.asarray(stats.binom.cdf(wrong, tested, limit), dtype=np.float64)


def precision_low(wrong: int, tested: int, confidence: float) -> float:
    """The lower bound of the share of right decisions; 0 where nothing was tested."""
    if wrong >= tested:
        return 0.0
    return float(1.0 - stats.beta.ppf(confidence, wrong + 1, tested - wrong))


def share_low(counted: int, tested: int, confidence: float) -> float:
    """The lower bound of a share of which `counted` of `tested` were seen."""
    return float(stats.beta.ppf(1.0 - confidence, counted, tested - counted + 1)) if counted else 0.0


def fewest(precision: float, confidence: float) -> int:
    """How many without a single wrong one prove it: 299 for 0.99 at 0.95."""
    return math.ceil(math.log(1.0 - confidence) / math.log(precision) - 1e-9)


def most_wrong(tested: npt.ArrayLike, limit: npt.ArrayLike, alpha: float) -> Whole:
    """The largest number of wrong ones that still refutes the limit; -1 where none would."""
    guess = np.asarray(stats.binom.ppf(alpha, tested, limit), dtype=np.float64)
    too_many = stats.binom.cdf(guess, tested, limit) > alpha
    return np.asarray(guess - too_many, dtype=np.int64)


def chance(wrong: npt.ArrayLike, seen: npt.ArrayLike, tested: npt.ArrayLike, most: npt.ArrayLike) -> Floats:
    """The probability of at most `most` wrong ones among `tested` more, after `wrong` of `seen`.

    Errors are rare: their number is Poisson's, of a rate as Jeffreys' prior and what was seen leave it
    (Gamma), hence negative binomial. It knows how little a small sample says.
    """
    counted = np.maximum(np.asarray(seen, dtype=np.float64), 1.0)
    share = counted / (counted + np.maximum(np.asarray(tested, dtype=np.float64), 1.0))
    reached = stats.nbinom.cdf(most, np.asarray(wrong) + 0.5, share)
    return np.asarray(np.where(np.asarray(most) >= 0, reached, 0.0), dtype=np.float64)
