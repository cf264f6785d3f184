"""Scores as published (Yancey and Settles, KDD 2020): differences of shrunk weighted means.

An arm's mean where it was chosen and where it was eligible but wasn't (weights 1/b and 1/(1 - b)) are each
drawn to that of all groups, as if `shrinkage` rounds of it had been seen: (μn + μ_arm σ)/(n + σ), n Kish's
effective size. The score is (μ⁺ - μ⁻)/μ⁻. An arm that nobody chose or nobody went without scores 0, as the
average does.
"""

from __future__ import annotations

import numpy as np

from pozytywka_spark.bandits.softmax.cells import Cells, Floats, Weighted, divided


def published_scores(cells: Cells, shrinkage: float) -> tuple[Floats, Floats]:
    """Scores by arm and group, and by arm of all groups; over all days and buckets of the cells."""
    chosen, other = cells.chosen.over(0, 3), cells.other.over(0, 3)
    by_arm = _difference(chosen.over(1).mean, other.over(1).mean)
    known = (chosen.over(1).weight > 0) & (other.over(1).weight > 0)
    scores = _difference(_shrunk(chosen, shrinkage), _shrunk(other, shrinkage))
    return np.where(known[:, None], scores, 0.0), np.where(known, by_arm, 0.0)


def _shrunk(sums: Weighted, shrinkage: float) -> Floats:
    size, of_arm = sums.effective, sums.over(1).mean[:, None]
    if shrinkage == 0:
        return np.where(size > 0, sums.mean, of_arm)
    return (sums.mean * size + of_arm * shrinkage) / (size + shrinkage)


def _difference(chosen: Floats, other: Floats) -> Floats:
    return divided(chosen - other, other)
