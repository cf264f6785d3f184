"""Logistic regression fitted on arrays, with weights: what serves, without Spark."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pozytywka_spark.models.booster import Matrix
from pozytywka_spark.models.predictors import Linear

Features = npt.NDArray[np.floating[Any]]
SOLVER = "scikit-learn"
_CHUNK = 50_000  # rows that are held as doubles at once, beside the standardised ones
# Newton's steps weigh the whole matrix anew, in a copy; for larger ones memory is worth more than digits
_CELLS_TO_COPY = 100_000_000
# From what an eighth of many rows says, all of them take half as many steps
_MANY, _EVERY = 20_000, 8


@dataclass(frozen=True)
class Columns:
    """What a fit needs of each column: where `varies`, its mean and deviation (of a sample), else 0 and 1."""

    means: Matrix
    scales: Matrix
    varies: npt.NDArray[np.bool_]


def fit_weighted(matrix: Features, label: Matrix, weight: Matrix, reg_param: float) -> Linear:
    """`fit_columns` as what serves: a feature that doesn't vary has the coefficient 0."""
    columns, coefficients, intercept = fit_columns(matrix, label, weight, reg_param)
    return Linear(
        tuple(columns.means.tolist()), tuple(columns.scales.tolist()), tuple(coefficients.tolist()), intercept
    )


def fit_columns(
    matrix: Features, label: Matrix, weight: Matrix, reg_param: float, *, threads: int = 1
) -> tuple[Columns, Matrix, float]:
    """Regularised (L2) logistic regression, standardised, missing values at the mean, all by weight.

    The objective is Spark ML's: the mean loss and `reg_param`/2 of the squared coefficients, the intercept
    left out of it. A feature without two different values gets the coefficient 0. The same rows and threads
    give the same bits.
    """
    import sklearn.linear_model  # noqa: F401 before the limit, which holds for libraries that are loaded
    from threadpoolctl import threadpool_limits

    # threads of linear algebra spin while they wait: below a size one alone is as soon done, and on a busy
    # machine at a seventh of the CPU
    with threadpool_limits(threads if matrix.size > _CELLS_TO_COPY else 1):
        columns = column_statistics(matrix, weight)
        total, positives = float(weight.sum()), float((weight * label).sum())
        coefficients = np.zeros(matrix.shape[1])
        if not columns.varies.any() or not 0 < positives < total:
            guess = min(max(positives / max(total, 1.0), 1e-9), 1 - 1e-9)
            return columns, coefficients, float(np.log(guess / (1 - guess)))
        weights, intercept = _minimised(standardised(matrix, columns), label, weight, reg_param)
    coefficients[columns.varies] = weights
    return columns, coefficients, intercept


def column_statistics(matrix: Features, weight: Matrix) -> Columns:
    """Each column's statistics over its values that aren't missing, summed as doubles."""
    width = matrix.shape[1]
    size, total, squares = np.zeros(width), np.zeros(width), np.zeros(width)
    low, high = np.full(width, np.inf), np.full(width, -np.inf)
    # two for all chunks: on memory that was never touched they take twice the time
    buffers = np.empty((2, min(len(matrix), _CHUNK), width))
    for rows in _chunks(len(matrix)):
        # of weight alone: a row that isn't drawn doesn't make a feature vary
        is_drawn = weight[rows] > 0
        drawn = weight[rows][is_drawn]
        values, has_value = buffers[:, : len(drawn)]
        values[:] = matrix[rows][is_drawn]
        np.equal(values, values, out=has_value, casting="unsafe")  # what is missing equals nothing
        low = np.fmin(low, np.fmin.reduce(values, axis=0, initial=np.inf))
        high = np.fmax(high, np.fmax.reduce(values, axis=0, initial=-np.inf))
        size += drawn @ has_value
        total += drawn @ np.nan_to_num(values, copy=False)
    means = total / np.maximum(size, 1e-300)
    for rows in _chunks(len(matrix)):
        distance = buffers[0, : len(matrix[rows])]
        # about the mean, so that nothing large cancels
        np.nan_to_num(np.subtract(matrix[rows], means, out=distance), copy=False)
        squares += weight[rows] @ np.square(distance, out=distance)
    scales = np.sqrt(squares / np.maximum(size - 1.0, 1.0))
    varies = (high > low) & (scales > 0)
    return Columns(np.where(varies, means, 0.0), np.where(varies, scales, 1.0), varies)


def standardised(matrix: Features, columns: Columns) -> Matrix:
    """Of the columns that vary: distance from the mean in standard deviations; 0 for a missing value."""
    varies = columns.varies
    scaled = np.empty((len(matrix), int(varies.sum())))
    for rows in _chunks(len(matrix)):
        mine = scaled[rows]
        np.subtract(matrix[rows][:, varies], columns.means[varies], out=mine)
        np.divide(mine, columns.scales[varies], out=mine)
        np.nan_to_num(mine, copy=False)
    return scaled


def _minimised(matrix: Matrix, label: Matrix, weight: Matrix, reg_param: float) -> tuple[Matrix, float]:
    """Coefficients and intercept, 1e-10 from the optimum or nearer; of very many rows 1e-6."""
    from scipy.linalg import LinAlgWarning
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    large = matrix.size > _CELLS_TO_COPY
    solver, tolerance = ("lbfgs", 1e-8) if large else ("newton-cholesky", 1e-10)
    model = LogisticRegression(solver=solver, tol=tolerance, max_iter=1000, warm_start=True)
    few, all_of_them = slice(None, None, _EVERY), slice(None)
    positives = float((weight * label)[few].sum())
    begins_with_few = len(matrix) >= _MANY and 0 < positives < float(weight[few].sum())
    with warnings.catch_warnings():
        # of separable draws without regularisation
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", LinAlgWarning)
        for rows in (few, all_of_them) if begins_with_few else (all_of_them,):
            total = float(weight[rows].sum())
            model.set_params(C=1.0 / (reg_param * total) if reg_param > 0 else np.inf)
            model.fit(matrix[rows], label[rows], sample_weight=weight[rows])
    return model.coef_[0], float(model.intercept_[0])


def _chunks(rows: int) -> Iterator[slice]:
    for start in range(0, rows, _CHUNK):
        yield slice(start, start + _CHUNK)
