"""Means that add up over cities and groups: MinTrace, not negative, within a bound of time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from scipy.optimize import nnls

from pozytywka_spark.forecasting.backtest import attempt
from pozytywka_spark.forecasting.concluded import Concluded, halves_of
from pozytywka_spark.forecasting.past import Values
from pozytywka_spark.forecasting.series_names import SEPARATOR
from pozytywka_spark.forecasting.spec import Spec

ALL = "all"
COHERENCE = "coherence"
# errors of a series by itself, to those that it has together with others
ALONE = 0.05
# what the past's own sums may differ by, of the parent, for its forecast to be made to add up
ROUNDING = 1e-6


def add_up(concluded: Concluded, spec: Spec) -> Concluded:
    """Make means of every origin add up and calibrate intervals anew by the errors that they then have.

    Names such as `plays|Kraków|3` say what adds up: a part that is `all` is the sum over that part. Series
    whose pasts don't add up, or that end apart, are left as they are; that is noted, and so is every step
    whose solver took longer than `spec.model_seconds` a series and was added from the bottom.
    """
    sums = summing(list(concluded.means))
    if sums is None:
        return concluded
    order, matrix = sums
    why_not = _why_not(concluded, order, matrix)
    if why_not:
        return replace(concluded, notes=(*concluded.notes, (order[0], COHERENCE, why_not)))
    rows = len(concluded.proposals[order[0]].origins)
    means = {name: values.copy() for name, values in concluded.means.items()}
    deadline = time.monotonic() + spec.model_seconds * len(order)
    late = 0
    for row in range(rows):
        base = np.array([concluded.means[name][row] for name in order])
        floors = np.array([concluded.floors[name][row] for name in order])
        adding, missed = reconciled(base, matrix, _errors_known(concluded, order, row), floors, deadline)
        late += missed
        for name, values in zip(order, adding, strict=True):
            means[name][row] = values
    notes = concluded.notes
    if late:
        notes = (
            *notes,
            (
                order[0],
                COHERENCE,
                f"added from the bottom at {late} steps: the solver failed or had no time left",
            ),
        )
    return replace(
        concluded, means=means, halves=halves_of(concluded.proposals, means, spec.horizon), notes=notes
    )


def summing(names: Sequence[str]) -> tuple[list[str], Values] | None:
    """The names, sums first, and the matrix that makes all of the last; None where nothing is a sum."""
    names = sorted(names)
    parts = {name: name.split(SEPARATOR) for name in names}
    below = {
        name: [other for other in names if other != name and _covers(parts[name], parts[other])]
        for name in names
    }
    bottom = [name for name in names if not below[name]]
    order = [
        *sorted((name for name in names if below[name]), key=lambda name: (-len(below[name]), name)),
        *bottom,
    ]
    if len(bottom) == len(names):
        return None
    matrix = np.array([[float(name == leaf or leaf in below[name]) for leaf in bottom] for name in order])
    return order, matrix


def _covers(parent: Sequence[str], child: Sequence[str]) -> bool:
    return len(parent) == len(child) and all(
        own in (other, ALL) for own, other in zip(parent, child, strict=True)
    )


def reconciled(
    base: Values, matrix: Values, errors: Values, floors: Values, deadline: float
) -> tuple[Values, int]:
    """Means that add up, nearest to `base` by how the errors (a row a series, a column an error) go together.

    MinTrace's closed form; a step at which it goes below a floor is solved again without going below 0. Steps
    that no time is left for are added from the bottom; returns how many those were, too.
    """
    sums = matrix.shape[0] - matrix.shape[1]
    samples = _samples(base, matrix, errors)
    left = deadline - time.monotonic()
    adding = attempt(partial(_closed_form, base, matrix, samples), left) if left > 0 else "no time left"
    if isinstance(adding, str):
        return np.asarray(matrix @ np.maximum(base[sums:], floors[sums:, None])), base.shape[1]
    negative = np.flatnonzero((adding[sums:] < 0).any(axis=0))
    if not np.isfinite(floors[sums:]).all() or not negative.size:
        return adding, 0
    whitening = np.linalg.inv(np.linalg.cholesky(samples @ samples.T / samples.shape[1]))
    late = 0
    for step in negative:
        leaves = np.maximum(base[sums:, step], 0.0)
        left = deadline - time.monotonic()
        found = attempt(partial(_not_negative, whitening, matrix, base[:, step]), left) if left > 0 else ""
        if isinstance(found, str):
            late += 1
        else:
            leaves = found
        adding[:, step] = matrix @ leaves
    return adding, late


def _not_negative(whitening: Values, matrix: Values, base: Values) -> Values:
    """The bottom that is nearest and not negative, by active sets, in so many rounds at most."""
    return np.asarray(nnls(whitening @ matrix, whitening @ base, maxiter=10 * matrix.shape[1])[0])


def _closed_form(base: Values, matrix: Values, samples: Values) -> Values:
    """The library's, whose covariance is about the mean: with each sample's opposite that is none.

    The last sample is there because the library refuses errors that sum to nothing.
    """
    from hierarchicalforecast.methods import MinTrace

    there = np.concatenate([samples, -samples, np.full((len(samples), 1), 1e-3)], axis=1)
    said = MinTrace("mint_cov").fit_predict(
        matrix, base, y_insample=there, y_hat_insample=np.zeros_like(there)
    )
    # once more from the bottom, so that sums are those of what is written
    return np.asarray(matrix @ np.asarray(said["mean"])[matrix.shape[0] - matrix.shape[1] :])


def _samples(base: Values, matrix: Values, errors: Values) -> Values:
    """Errors of whole steps, and of each series one by itself, which keeps covariances from being singular.

    Covariances matter: models that miss a change of level miss it in every series, which only the sums show.
    The unit is such that half of the variances are over 1.
    """
    variances = _variances(base, matrix, errors)
    of_steps = errors[:, np.isfinite(errors).all(axis=0)]
    alone = max(1.0, ALONE * of_steps.shape[1])
    samples = np.concatenate([of_steps, np.diag(np.sqrt(variances * alone))], axis=1)
    return np.asarray(samples / np.sqrt(np.median((samples**2).mean(axis=1))))


def _variances(base: Values, matrix: Values, errors: Values) -> Values:
    """Mean squared errors, drawn to what the size of the sum says where few are known; never 0."""
    there = np.isfinite(errors)
    number = there.sum(axis=1)
    squares = np.where(there, errors, 0.0) ** 2
    own = squares.sum(axis=1) / np.maximum(number, 1)
    leaves: Values = matrix.sum(axis=1)
    of_one = (own * number).sum() / max(float((leaves * number).sum()), 1e-300)
    if not of_one > 0:
        of_one = float(np.mean(base**2)) or 1.0
    floor = 1e-6 * of_one * leaves
    prior = float(base.shape[1])  # one origin's worth
    return np.asarray(np.maximum((own * number + of_one * leaves * prior) / (number + prior), floor))


def _errors_known(concluded: Concluded, order: Sequence[str], row: int) -> Values:
    """Errors of the combined means that were known at the row's origin, a row a series; else NaN."""
    known = []
    for name in order:
        of = concluded.proposals[name]
        steps = np.array(of.origins)[:, None] + np.arange(of.actual.shape[1])
        errors = concluded.means[name] - of.actual
        known.append(np.where(steps < of.origins[row], errors, np.nan)[:-1].ravel())
    return np.array(known)


def _why_not(concluded: Concluded, order: Sequence[str], matrix: Values) -> str:
    """Why the means of these series can't be made to add up, or an empty text."""
    ends = {tuple(_origin_steps(concluded, name)) for name in order}
    if len(ends) > 1:
        return "left as they are: series begin or end apart"
    length = min(concluded.wholes[name].length for name in order)
    pasts = np.array([concluded.wholes[name].values[-length:] for name in order])
    leaves = pasts[matrix.shape[0] - matrix.shape[1] :]
    apart = np.abs(pasts - matrix @ leaves)
    off = np.nanmax(apart, axis=1) > ROUNDING * np.maximum(np.nanmax(np.abs(pasts), axis=1), 1e-12)
    if off.any():
        return f"left as they are: {order[int(np.argmax(off))]} isn't the sum of its parts"
    return ""


def _origin_steps(concluded: Concluded, name: str) -> list[int]:
    whole = concluded.wholes[name]
    return [int(whole.steps[origin]) for origin in concluded.proposals[name].origins]


def incoherence(means: Mapping[str, Values]) -> float:
    """How far sums are from their parts, at most, relative to the sum; 0 where nothing is a sum."""
    sums = summing(list(means))
    if sums is None:
        return 0.0
    order, matrix = sums
    values = np.array([means[name] for name in order])
    leaves = values[matrix.shape[0] - matrix.shape[1] :]
    return float(np.max(np.abs(values - matrix @ leaves) / np.maximum(np.abs(values), 1e-9), initial=0.0))
