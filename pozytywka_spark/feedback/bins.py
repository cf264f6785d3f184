"""How sure a model was, and how often right: counts by bins of log-odds, which sums of parts add up to.

Bin `n` of 0 to `BINS - 1` holds log-odds `[(n - BINS / 2) / STEPS, …)`, the outermost all beyond. Whatever is
decided by a bin is decided alike when it is measured and when texts are scored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pozytywka_spark.feedback.linear import Floats

BINS, STEPS = 4000, 200
FEWEST = 20  # texts that a cut is made by
_LEAST = 1e-12
Counts = npt.NDArray[np.int64]


def bin_of(chances: Floats) -> Counts:
    """The bin of each chance.

    >>> bin_of(np.array([0.0, 0.5, 1.0])).tolist()
    [0, 2000, 3999]
    """
    safe = np.clip(chances, _LEAST, 1.0 - _LEAST)
    places = np.floor(np.log(safe / (1.0 - safe)) * STEPS) + BINS // 2
    return np.asarray(np.clip(places, 0, BINS - 1), dtype=np.int64)


def chance_at(place: int) -> float:
    """The chance at which a bin begins."""
    return float(1.0 / (1.0 + np.exp(-(place - BINS // 2) / STEPS)))


@dataclass(frozen=True)
class Cut:
    """From bin `least` on `right` of `texts` were right."""

    least: int
    texts: int
    right: int

    @property
    def precision(self) -> float:
        """Share of the right ones."""
        return self.right / self.texts


def lowest_cut(texts: Counts, right: Counts, precision: float) -> Cut | None:
    """The lowest bin from which on at most a share of `1 - precision` is wrong; None where no bin is, or
    fewer than FEWEST texts lie there.

    By bin: how many texts, and how many of them right. One wrong text more than there were is taken to follow
    (conformal risk control, Angelopoulos et al. 2022); where even that one would be too many of so few, none
    of them may be wrong. How sure so many texts make it is another matter: see `precision_bounds`.
    """
    above = np.cumsum(texts[::-1])[::-1]
    wrong = above - np.cumsum(right[::-1])[::-1]
    allowed = np.maximum((1.0 - precision) * (above + 1) - 1.0, 0.0)
    fine = np.flatnonzero((texts > 0) & (above >= FEWEST) & (wrong <= allowed + 1e-9))
    if not len(fine):
        return None
    return cut_at(int(fine[0]), texts, right)


def cut_at(least: int, texts: Counts, right: Counts) -> Cut:
    """From that bin on."""
    return Cut(least, int(texts[least:].sum()), int(right[least:].sum()))


def roc_auc(negatives: Counts, positives: Counts) -> float | None:
    """How often a positive lies in a higher bin than a negative, ties half; None without one of either."""
    if not negatives.sum() or not positives.sum():
        return None
    below = np.cumsum(negatives) - negatives
    won = float((positives * (below + 0.5 * negatives)).sum())
    return won / (float(negatives.sum()) * float(positives.sum()))


def precision_bounds(right: int, texts: int, confidence: float = 0.95) -> tuple[float, float]:
    """Two-sided bounds of a share (Clopper and Pearson 1934).

    >>> low, high = precision_bounds(299, 299, 0.9)
    >>> round(low, 3), high
    (0.99, 1.0)
    """
    from scipy.stats import beta

    half = (1.0 - confidence) / 2.0
    low = 0.0 if right == 0 else float(beta.ppf(half, right, texts - right + 1))
    high = 1.0 if right == texts else float(beta.ppf(1.0 - half, right + 1, texts - right))
    return low, high
