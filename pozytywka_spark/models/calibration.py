"""From log-odds to probabilities: Platt's or isotonic calibration, fitted on the validation side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pozytywka_spark.models.booster import Matrix, probability

if TYPE_CHECKING:
    from pyspark.sql import Column

PLATT, ISOTONIC, NONE = "platt", "isotonic", "none"
WIDTH = 0.01  # of a bin in log-odds: at most a quarter of a percent of probability
_LOWEST = 1e-6  # an isotonic step of 0 or 1 would make one surprise infinitely dear


@dataclass(frozen=True)
class Calibrator:
    """`platt`: sigmoid of slope x margin + intercept; `isotonic`: linear between knots; `none`: sigmoid."""

    method: str = NONE
    slope: float = 1.0
    intercept: float = 0.0
    margins: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()

    def of(self, margin: Column) -> Column:
        """The calibrated probability of a margin, as a column of Spark."""
        from pyspark.sql import functions as F

        if self.method == ISOTONIC:
            return _between_knots(margin, self.margins, self.probabilities)
        return probability(F.lit(self.slope) * margin + F.lit(self.intercept))

    def apply(self, margin: Matrix) -> Matrix:
        """The calibrated probability of each margin."""
        if self.method == ISOTONIC:
            return np.interp(margin, self.margins, self.probabilities)
        return sigmoid(self.slope * margin + self.intercept)


def sigmoid(margin: Matrix) -> Matrix:
    """The probability of log-odds."""
    with np.errstate(over="ignore"):  # 1 / infinity is the 0 that is meant
        return np.asarray(1.0 / (1.0 + np.exp(-margin)))


def from_plain(values: Mapping[str, Any] | None) -> Calibrator:
    """The calibrator that a model's metadata holds; none if it holds none."""
    values_known = dict(values or {})
    for name in ("margins", "probabilities"):
        values_known[name] = tuple(values_known.get(name, ()))
    return Calibrator(**values_known)


@dataclass(frozen=True)
class Bins:
    """Grain: bin of margins, in their order: mean margin, rows, positives among them."""

    margin: Matrix
    size: Matrix
    positives: Matrix


def fit_calibrator(margins: Matrix, labels: Matrix, method: str, isotonic_positives: int) -> Calibrator:
    """Fitted on rows' margins and labels, summed first into narrow bins.

    `method` "auto" is isotonic from so many positives on, else Platt's. Platt's targets are pulled towards a
    half as he did (1999), which keeps few positives from overfitting. A slope that isn't positive would turn
    the ranking over: nothing is calibrated then.
    """
    binned = bins_of(margins, labels)
    positives = float(binned.positives.sum())
    if method == "auto":
        method = ISOTONIC if positives >= isotonic_positives else PLATT
    if method == NONE or not 0 < positives < binned.size.sum():
        return Calibrator()
    if method == PLATT:
        slope, intercept = fit_platt(binned)
        return Calibrator(PLATT, slope, intercept) if slope > 0 else Calibrator()
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=_LOWEST, y_max=1 - _LOWEST, out_of_bounds="clip")
    fitted.fit(binned.margin, binned.positives / binned.size, sample_weight=binned.size)
    knots = (fitted.X_thresholds_.tolist(), fitted.y_thresholds_.tolist())
    return Calibrator(ISOTONIC, margins=tuple(knots[0]), probabilities=tuple(knots[1]))


def bins_of(margins: Matrix, labels: Matrix, width: float = WIDTH) -> Bins:
    """The rows in bins of that width that hold any. Log-odds keep the bins few."""
    _, place = np.unique(np.floor(margins / width), return_inverse=True)
    ones = np.ones(len(place))
    size, positives, total = (_summed(place, each) for each in (ones, labels, margins))
    return Bins(total / size, size, positives)


def _summed(place: npt.NDArray[np.intp], values: Matrix) -> Matrix:
    return np.asarray(np.bincount(place, values), dtype=np.float64)


def fit_platt(binned: Bins) -> tuple[float, float]:
    """Slope and intercept that minimise the log loss over the bins' sums (convex, two parameters)."""
    from scipy.optimize import minimize
    from scipy.special import expit

    x, size, positives = binned.margin, binned.size, binned.positives
    high = (positives.sum() + 1) / (positives.sum() + 2)
    low = 1 / (size.sum() - positives.sum() + 2)
    target = positives * high + (size - positives) * low
    design = np.column_stack([x, np.ones_like(x)])

    def loss(line: Matrix) -> tuple[float, Matrix]:
        guess = design @ line
        value = (size * np.logaddexp(0, guess) - target * guess).sum() / size.sum()
        return float(value), design.T @ (size * expit(guess) - target) / size.sum()

    optimum = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS", options={"gtol": 1e-9})
    return float(optimum.x[0]), float(optimum.x[1])


def _between_knots(margin: Column, xs: tuple[float, ...], ys: tuple[float, ...]) -> Column:
    """Linear between knots, flat beyond the first and the last."""
    from pyspark.sql import functions as F

    margins, values = F.array(*map(F.lit, xs)), F.array(*map(F.lit, ys))
    passed = F.size(F.filter(margins, lambda knot: knot <= margin))
    x0, x1 = F.get(margins, passed - 1), F.get(margins, passed)
    y0, y1 = F.get(values, passed - 1), F.get(values, passed)
    between = y0 + (margin - x0) * (y1 - y0) / (x1 - x0)
    return F.when(passed == 0, ys[0]).when(passed == len(xs), ys[-1]).otherwise(between)
