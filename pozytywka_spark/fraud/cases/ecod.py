"""How far account-days lie from the rest: ECOD, by each signal's own distribution.

Li, Zhao, Hu, Botta, Ionescu, Chen, "ECOD: Unsupervised Outlier Detection Using Empirical Cumulative
Distribution Functions", TKDE 2022. A row's score is, summed over columns, the largest of -log of its left
tail, -log of its right tail, and of the tail that the column is skewed to (both, added, where it isn't).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reference:
    """Distributions of columns: each column's values in order, its middle, the sign of its skewness."""

    ordered: Floats  # rows x columns, every column sorted by itself
    middle: Floats
    skewed: Floats


def reference_of(rows: Floats) -> Reference:
    """The distributions that rows (one at least) are measured by; NaN counts as the column's median."""
    middle = _medians(rows)
    filled = _filled(rows, middle)
    return Reference(np.sort(filled, axis=0), middle, np.sign(_skewness(filled)))


def scores(rows: Floats, reference: Reference) -> Floats:
    """The score of each row; the higher, the farther from the rest.

    Of rows that are the reference's own this is ECOD as published. Of others, a value beyond all of the
    reference's counts as the farthest of them.
    """
    filled = _filled(rows, reference.middle)
    size = len(reference.ordered)
    total = np.zeros(len(rows))
    for column in range(rows.shape[1]):
        values, ordered = filled[:, column], reference.ordered[:, column]
        at_most = np.maximum(np.searchsorted(ordered, values, "right"), 1)
        at_least = np.maximum(size - np.searchsorted(ordered, values, "left"), 1)
        left, right = -np.log(at_most / size), -np.log(at_least / size)
        sign = reference.skewed[column]
        skewed = left * (sign <= 0) + right * (sign >= 0)
        total += np.maximum(np.maximum(left, right), skewed)
    return total


def _filled(rows: Floats, middle: Floats) -> Floats:
    return np.where(np.isnan(rows), middle, rows)


def _medians(rows: Floats) -> Floats:
    """The median of each column's values, 0 where there is none."""
    columns = [column[~np.isnan(column)] for column in rows.T]
    return np.array([np.median(values) if len(values) else 0.0 for values in columns])


def _skewness(rows: Floats) -> Floats:
    """The third moment by the deviation cubed, as scipy's `skew`: 0 for a column of one value."""
    mean = rows.mean(axis=0)
    off = rows - mean
    second, third = (off**2).mean(axis=0), (off**3).mean(axis=0)
    spread = second > (np.finfo(np.float64).resolution * mean) ** 2
    result: Floats = np.divide(third, second**1.5, out=np.zeros(len(mean)), where=spread)
    return result
