"""Logistic regression fitted on arrays, with weights: what serves, without Spark."""

from __future__ import annotations

import warnings

import numpy as np

from pozytywka_spark.training.booster import Matrix
from pozytywka_spark.training.predictors import Linear


def fit_weighted(matrix: Matrix, label: Matrix, weight: Matrix, reg_param: float) -> Linear:
    """Regularised (L2) logistic regression, standardised, missing values at the mean, all by weight.

    The same objective as `linear.fit_logistic`: the mean loss and `reg_param`/2 of the squared coefficients,
    the intercept left out of it. A feature without two different values gets the coefficient 0.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    known = ~np.isnan(matrix)
    counted = np.where(known, weight[:, None], 0.0)
    size = counted.sum(axis=0)
    means = np.where(known, matrix, 0.0).T @ weight / np.maximum(size, 1e-300)
    distance = np.where(known, matrix - means, 0.0)
    scales = np.sqrt(np.square(distance).T @ weight / np.maximum(size - 1.0, 1.0))
    # of weight alone: a row that isn't drawn doesn't make a feature vary
    drawn = known & (weight[:, None] > 0)
    low = np.where(drawn, matrix, np.inf).min(axis=0)
    high = np.where(drawn, matrix, -np.inf).max(axis=0)
    varies = (high > low) & (scales > 0)
    means, scales = np.where(varies, means, 0.0), np.where(varies, scales, 1.0)
    total, positives = float(weight.sum()), float((weight * label).sum())
    coefficients = np.zeros(matrix.shape[1])
    if not varies.any() or not 0 < positives < total:
        guess = min(max(positives / max(total, 1.0), 1e-9), 1 - 1e-9)
        intercept = float(np.log(guess / (1 - guess)))
        return _linear(means, scales, coefficients, intercept)
    strength = 1.0 / (reg_param * total) if reg_param > 0 else np.inf
    model = LogisticRegression(C=strength, tol=1e-8, max_iter=1000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of separable draws without regularisation
        model.fit((distance / scales)[:, varies], label, sample_weight=weight)
    coefficients[varies] = model.coef_[0]
    return _linear(means, scales, coefficients, float(model.intercept_[0]))


def _linear(means: Matrix, scales: Matrix, coefficients: Matrix, intercept: float) -> Linear:
    return Linear(tuple(means.tolist()), tuple(scales.tolist()), tuple(coefficients.tolist()), intercept)
