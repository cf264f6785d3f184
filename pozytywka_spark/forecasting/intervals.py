"""Widths that cover: conformal, from the backtest's errors by horizon, pooled over like series."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.isotonic import IsotonicRegression

from pozytywka_spark.forecasting.past import Values

LEVELS = (80, 90)
# a series' own size of errors counts as much as the pool's where it has so many origins
PRIOR_ORIGINS = 2.0
# an origin's errors go together: they count as this many independent ones, not as many as there are steps
INDEPENDENT_OF_AN_ORIGIN = 4
# mean absolute errors that reach to a normal's quantiles, for pools that nothing is known of
WITHOUT_ERRORS = {0.8: 1.61, 0.9: 2.06}


def widths_of(errors: Sequence[Values], horizon: int) -> list[dict[int, Values]]:
    """Half widths a series and level, in the errors' unit, a value a step ahead.

    `errors` has, a series, the absolute scaled errors of its combined forecasts: a row an origin, a column a
    step ahead, NaN where nothing came. Their shape over the horizon is the pool's, monotone; their size is
    the series' own, drawn to the pool's as far as it has few origins. The level's quantile is taken over all
    errors of the pool, each divided by what the series' other origins would have said. Series that never
    erred, such as constants, have no width and no say.
    """
    erred = [error for error in errors if np.nansum(error) > 0]
    shape = _shape(erred, horizon)
    means = [np.nanmean(_sizes(error / shape)) for error in erred]
    pool = float(np.mean(means)) if means else 1.0
    widths = iter(_of_those_that_erred(erred, shape, pool))
    quiet = {level: np.zeros(horizon) for level in LEVELS}
    unknown = {level: shape * pool * WITHOUT_ERRORS[level / 100] for level in LEVELS}
    return [
        next(widths) if np.nansum(error) > 0 else (quiet if np.isfinite(error).any() else unknown)
        for error in errors
    ]


def _of_those_that_erred(errors: Sequence[Values], shape: Values, pool: float) -> list[dict[int, Values]]:
    sizes = [_sizes(error / shape) for error in errors]
    scores = [
        (error / shape)[row] / expected
        for error, size in zip(errors, sizes, strict=True)
        for row, expected in enumerate(_expected_by_others(size, pool))
    ]
    flat = np.concatenate(scores) if scores else np.empty(0)
    flat = flat[np.isfinite(flat)]
    independent = INDEPENDENT_OF_AN_ORIGIN * sum(int(np.isfinite(size).sum()) for size in sizes)
    own = [_towards(size[np.isfinite(size)], pool) for size in sizes]
    return [
        {level: shape * size * _quantile(flat, level / 100, independent) for level in LEVELS} for size in own
    ]


def _shape(errors: Sequence[Values], horizon: int) -> Values:
    """How errors grow with the horizon, of mean 1, never falling."""
    normed = [error / _positive(float(np.nanmean(error))) for error in errors if np.isfinite(error).any()]
    if not normed:
        return np.sqrt(np.arange(1, horizon + 1) / horizon)
    every = np.concatenate(normed)
    there = np.isfinite(every)
    counts = there.sum(axis=0)
    means = np.where(counts > 0, np.where(there, every, 0).sum(axis=0) / np.maximum(counts, 1), 0)
    ahead = np.arange(horizon)
    fit = IsotonicRegression(y_min=1e-3).fit(ahead, means, sample_weight=counts + 1e-9)
    rising = np.asarray(fit.predict(ahead))
    return np.asarray(np.maximum(rising / rising.mean(), 0.2))


def _sizes(normed: Values) -> Values:
    """Mean error an origin; NaN where nothing came."""
    there = np.isfinite(normed)
    counts = there.sum(axis=1)
    sums = np.where(there, normed, 0).sum(axis=1)
    return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))


def _expected_by_others(sizes: Values, pool: float) -> list[float]:
    return [
        _towards(np.delete(sizes, row)[np.isfinite(np.delete(sizes, row))], pool) for row in range(len(sizes))
    ]


def _towards(sizes: Values, pool: float) -> float:
    return float((sizes.sum() + PRIOR_ORIGINS * pool) / (len(sizes) + PRIOR_ORIGINS)) or 1e-12


def _quantile(scores: Values, level: float, independent: int) -> float:
    """Conformal: a little further out than the level, as many scores as there are."""
    if not scores.size:
        return WITHOUT_ERRORS[level]
    return float(np.quantile(scores, min(1.0, level * (1 + 1 / independent)), method="higher"))


def _positive(value: float) -> float:
    return value if value > 0 else 1.0


def p_value(mean: Values, half_80: Values, half_90: Values, actual: Values) -> Values:
    """How likely a day is to be as far from its mean, on either side, as the actual one.

    Weibull tails through both levels: 0.2 lies beyond `half_80`, 0.1 beyond `half_90`. Where they are equal
    or 0, being off at all is out of the question. Exponents are bounded by those of Laplace's tails and the
    normal's.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.log(np.log(0.1) / np.log(0.2)) / np.log(half_90 / half_80)
        exponent = np.clip(np.nan_to_num(exponent, nan=2.0, posinf=2.0), 0.8, 2.0)
        apart = np.abs(actual - mean) / half_90
        apart = np.where(np.isnan(apart), 0.0, apart)
    return np.asarray(0.1 ** (apart**exponent))
