"""One forecast of several: weights by past error, nothing that was worse than the seasonal naive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from pozytywka_spark.forecasting.backtest import Proposals
from pozytywka_spark.forecasting.past import Values

NAIVE = "seasonal_naive"
MEDIAN = "median"
# Weights fall with these powers of a series' own loss and of that of the series like it. Most of an error is
# noise that no model foretells, so that a tenth less of it is much; and one series' errors alone are few to
# judge by. Chosen where neither public series nor business with a yearly rhythm changes much: from 4 to 12
OWN_POWER, POOLED_POWER = 8, 8
LEAST_LOSS = 1e-3
LUMPY = 0.5  # of the mean: a median below it
# Odds given before any error is known to a model that is told what others aren't, who joined and when: it
# expects turns that no past error shows. Worth a seventh of the loss
AHEAD_OF_OTHERS: Mapping[str, float] = {"cohorts": 8.0}


def losses_at(proposals: Proposals, row: int) -> dict[str, float]:
    """Each model's mean error over the seasonal naive's, of the errors that were known at the row's origin.

    Over the steps where both spoke; models that never did are absent, all where nothing was known. Errors are
    absolute; squared, and the root taken of their mean, where most values are small beside the mean: there,
    nothing has the least absolute error, and is no forecast of what comes.
    """
    steps = np.array(proposals.origins)[:, None] + np.arange(proposals.actual.shape[1])
    known = np.isfinite(proposals.actual) & (steps < proposals.origins[row])
    naive = np.abs(proposals.means[NAIVE] - proposals.actual)[known]
    size = _root_of_mean_square if _lumpy(np.abs(proposals.actual[known])) else _mean
    losses = {}
    for name, means in proposals.means.items():
        errors = np.abs(means - proposals.actual)[known]
        both = np.isfinite(errors) & np.isfinite(naive)
        if both.any():
            losses[name] = _ratio(size(errors[both]), size(naive[both]))
    return losses


def pooled(losses: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Geometric means of series' losses, by model, drawn to 1 as they are few: of one series it is 1."""
    logs: dict[str, list[float]] = defaultdict(list)
    for of in losses:
        for name, loss in of.items():
            logs[name].append(float(np.log(np.clip(loss, LEAST_LOSS, 1 / LEAST_LOSS))))
    return {name: float(np.exp(np.mean(values) * (1 - 1 / len(values)))) for name, values in logs.items()}


def weights_at(
    proposals: Proposals, row: int, losses: Mapping[str, float], like_it: Mapping[str, float]
) -> dict[str, float]:
    """A weight a model, of sum 1; those out are absent: worse than the seasonal naive, or silent at this
    origin.

    `losses` are the series' own, `like_it` those of all that are like it. `median` has all the weight where
    no error was known.
    """
    if not losses:
        return {MEDIAN: 1.0}
    raw = {
        name: AHEAD_OF_OTHERS.get(name, 1.0)
        * max(loss, LEAST_LOSS) ** -OWN_POWER
        * max(like_it[name], LEAST_LOSS) ** -POOLED_POWER
        for name, loss in losses.items()
        if loss <= 1 and np.isfinite(proposals.means[name][row]).all()
    }
    total = sum(raw.values())
    return {name: weight / total for name, weight in raw.items()}


def combined_at(proposals: Proposals, row: int, weights: Mapping[str, float]) -> Values:
    """The weighted mean of what the models say at the row's origin."""
    if MEDIAN in weights:
        spoke = [means[row] for means in proposals.means.values() if np.isfinite(means[row]).all()]
        return np.asarray(np.median(np.array(spoke), axis=0))
    means = np.array([proposals.means[name][row] for name in weights])
    return np.asarray(np.array(list(weights.values())) @ means)


def _lumpy(values: Values) -> bool:
    return bool(values.size) and bool(np.median(values) < LUMPY * values.mean())


def _mean(errors: Values) -> float:
    return float(errors.mean())


def _root_of_mean_square(errors: Values) -> float:
    largest = float(errors.max()) or 1.0  # squares of huge ones have no place
    return largest * float(np.sqrt(np.mean((errors / largest) ** 2)))


def _ratio(own: float, other: float) -> float:
    if own == other:
        return 1.0
    return own / other if other > 0 else np.inf
