"""How sure a model of two classes may be of texts that it didn't learn from, by counts of bins.

A sigmoid of the log-odds with slope and offset (Platt 1999, with the targets of Lin, Lin and Weng 2007): a
class that is rare in training is more often unlike what was learnt of it, which no temperature mends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.feedback.bins import BINS, FEWEST, STEPS, Counts, Cut, cut_at, lowest_cut
from pozytywka_spark.feedback.linear import Floats

_LOG_ODDS = (np.arange(BINS) + 0.5 - BINS // 2) / STEPS  # of the middle of each bin


@dataclass(frozen=True)
class Sigmoid:
    """The log-odds of the second class are `slope` times the model's, and `offset`."""

    slope: float = 1.0
    offset: float = 0.0

    def chances(self) -> Floats:
        """By bin."""
        return np.asarray(1.0 / (1.0 + np.exp(-(self.slope * _LOG_ODDS + self.offset))))


def sigmoid_of(first: Counts, second: Counts) -> Sigmoid:
    """The likeliest, by texts of either class in each bin; the model's own word where one class has none, or
    the model would have to be turned round.
    """
    from scipy.optimize import minimize

    many, of_second = float(first.sum()), float(second.sum())
    if not many or not of_second:
        return Sigmoid()
    sure, never = (of_second + 1.0) / (of_second + 2.0), 1.0 / (many + 2.0)
    texts = (first + second).astype(np.float64)
    wanted = second * sure + first * never

    def loss(line: Floats) -> tuple[float, Floats]:
        margins = line[0] * _LOG_ODDS + line[1]
        wrong = texts / (1.0 + np.exp(-margins)) - wanted
        total = float((texts * np.logaddexp(0.0, margins) - wanted * margins).sum())
        gradient = np.array([(wrong * _LOG_ODDS).sum(), wrong.sum()])
        return total / texts.sum(), gradient / texts.sum()

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS", options={"gtol": 1e-7})
    slope, offset = (float(one) for one in found.x)
    return Sigmoid(round(slope, 6), round(offset, 6)) if slope > 0 else Sigmoid()


def careful_cut(first: Counts, second: Counts, precision: float) -> Cut | None:
    """From where on texts are of the second class often enough: by those counted (`lowest_cut`), and by what
    the sigmoid expects of such texts. Where few were counted, the lowest of them that was right says little
    of what lies just above the highest that was wrong.
    """
    texts = first + second
    counted = lowest_cut(texts, second, precision)
    if counted is None:
        return None
    above = np.cumsum(texts[::-1])[::-1]
    expected = np.cumsum((texts * sigmoid_of(first, second).chances())[::-1])[::-1]
    fine = np.flatnonzero((texts > 0) & (above >= FEWEST) & (expected >= precision * above))
    return cut_at(max(counted.least, int(fine[0])), texts, second) if len(fine) else None
