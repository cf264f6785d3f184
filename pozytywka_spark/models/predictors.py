"""Logistic regression as numpy arrays; either kind of model from the native file that it is kept as."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from pozytywka_spark.errors import TrackingError
from pozytywka_spark.models.booster import Features, Matrix, Predictor, Trees
from pozytywka_spark.models.names import IN_WORDS, LOGISTIC, XGBOOST


@dataclass(frozen=True)
class Linear:
    """Logistic regression: a place in each tuple is a feature, in the model's order.

    A feature's part in the log-odds is coefficient x (value - mean) / scale. A missing value stands for the
    mean, so its part is 0; so is that of a feature that fitting left out, whose coefficient is 0.
    """

    means: tuple[float, ...]
    scales: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float
    kind: ClassVar[str] = LOGISTIC

    def margins(self, matrix: Features) -> Matrix:
        """Log-odds of each row."""
        return np.asarray(self._parts(matrix).sum(axis=1) + self.intercept, dtype=np.float64)

    def contributions(self, matrix: Features, threads: int | None = None) -> Matrix:
        """Each feature's part, the intercept last; they add up to the margin."""
        return np.column_stack([self._parts(matrix), np.full(len(matrix), self.intercept)])

    def content(self) -> bytes:
        """The file that holds it: JSON, whose numbers are read back to the last bit."""
        return json.dumps(asdict(self), allow_nan=False).encode()

    def _parts(self, matrix: Features) -> Matrix:
        distance = (matrix - np.array(self.means)) / np.array(self.scales)
        filled = np.where(np.isnan(distance), 0.0, distance)
        return np.asarray(filled * np.array(self.coefficients), dtype=np.float64)


def from_content(kind: str, content: bytes, trees: int = 0) -> Predictor:
    """The predictor that a file of that kind holds. Raises `TrackingError` for a kind or file not known."""
    if kind == XGBOOST:
        return Trees(content, trees)
    if kind != LOGISTIC:
        kinds = " or ".join(IN_WORDS.values())
        raise TrackingError(f"a model of kind {kind} can't be used by this version of the code, only {kinds}")
    try:
        values = json.loads(content)
        columns = {name: _numbers(values[name]) for name in ("means", "scales", "coefficients")}
        linear = Linear(**columns, intercept=float(values["intercept"]))
    except (ValueError, KeyError, TypeError) as error:
        raise TrackingError(f"the file of a logistic model can't be read ({error}): train again") from None
    if len({len(column) for column in columns.values()}) != 1 or 0.0 in linear.scales:
        raise TrackingError("the file of a logistic model is damaged, its columns don't match: train again")
    return linear


def _numbers(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
