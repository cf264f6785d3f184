"""Counts of values per bin of a reference, to be added up over parts of rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FINE = 50  # bins of a fiftieth of the reference each, for Kolmogorov-Smirnov
COARSE = 10  # tenths, made of five fine bins each, for PSI and Jensen-Shannon


@dataclass(frozen=True)
class Counts:
    """Of one subject on one side: known values per fine bin, and nulls."""

    bins: Floats = field(default_factory=lambda: np.zeros(FINE))
    nulls: float = 0.0

    def __add__(self, other: Counts) -> Counts:
        """Of the values of both."""
        return Counts(self.bins + other.bins, self.nulls + other.nulls)

    @property
    def not_null(self) -> float:
        """Values that aren't null."""
        return float(self.bins.sum())

    @property
    def rows(self) -> float:
        """All values."""
        return self.not_null + self.nulls

    @property
    def tenths(self) -> Floats:
        """Known values per coarse bin."""
        return np.asarray(self.bins.reshape(COARSE, -1).sum(axis=1))


def edges_of(values: Floats) -> Floats | None:
    """The upper edges of all fine bins but the last: quantiles of the known values, None if there are none.

    A quantile is the least value that at least its share of the values is at or below. Where many values are
    equal, edges repeat and the bins between them stay empty on both sides. NaN is null.
    """
    present = values[~np.isnan(values)]
    if not len(present):
        return None
    return np.asarray(np.quantile(present, np.arange(1, FINE) / FINE, method="inverted_cdf"))


def count_bins(values: Floats, edges: Floats | None) -> Counts:
    """How many values lie in each bin: a value's is the number of edges below it; NaN is null.

    Without edges no reference value is known, and all values are of bin 0.
    """
    present = values[~np.isnan(values)]
    below = np.searchsorted(np.empty(0) if edges is None else edges, present, "left")
    return Counts(np.bincount(below, minlength=FINE).astype(np.float64), float(len(values) - len(present)))
