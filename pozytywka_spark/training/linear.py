"""Logistic regression on the train side of a training table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.table import TrainingTable
from pozytywka_spark.errors import DataError
from pozytywka_spark.models.linear_fit import fit_columns
from pozytywka_spark.models.predictors import Linear
from pozytywka_spark.names import TRAIN


@dataclass(frozen=True)
class FittedLogistic:
    """Coefficients per standard deviation; nulls stand for the train side's mean, that is for 0."""

    order: tuple[str, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float
    left_out: tuple[str, ...]


def fit_logistic(table: TrainingTable, settings: Settings, threads: int = 1) -> FittedLogistic:
    """Regularised (L2) logistic regression on the train side, standardised, nulls imputed with means.

    All statistics are the train side's. Features without two different values there are left out.
    Raises `DataError` if none is left.
    """
    train, strength = table.of(TRAIN), settings.training.logistic_reg_param
    columns, coefficients, intercept = fit_columns(
        train.matrix, train.label, np.ones(len(train)), strength, threads=threads
    )
    varies = columns.varies
    if not varies.any():
        raise DataError("no feature varies on the train side: nothing can be learnt from it")
    used = np.array(table.order, dtype=object)
    return FittedLogistic(
        order=tuple(used[varies]),
        means=tuple(columns.means[varies].tolist()),
        deviations=tuple(columns.scales[varies].tolist()),
        coefficients=tuple(coefficients[varies].tolist()),
        intercept=intercept,
        left_out=tuple(used[~varies]),
    )


def as_linear(fitted: FittedLogistic, order: Sequence[str]) -> Linear:
    """What serves, over all features of `order`: those that fitting left out have the coefficient 0."""
    columns = zip(fitted.means, fitted.deviations, fitted.coefficients, strict=True)
    by_name = dict(zip(fitted.order, columns, strict=True))
    means, scales, coefficients = zip(*(by_name.get(name, (0.0, 1.0, 0.0)) for name in order), strict=True)
    return Linear(means, scales, coefficients, fitted.intercept)
