"""One forecast of several: weights by past error, nothing that was worse than the seasonal naive."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pozytywka_spark.forecasting.backtest import Proposals
from pozytywka_spark.forecasting.past import Values

NAIVE = "seasonal_naive"
MEDIAN = "median"
# weights fall with this power of the error. Most of an error is noise that no model foretells, so a tenth
# less
# of it is much: twice the weight. From 2 to 12 public series fare alike; business with a yearly rhythm fares
# the
# better, the more the few models count that see it
POWER = 8


def weights_at(proposals: Proposals, row: int) -> dict[str, float]:
    """A weight a model, of sum 1, from the errors that were known at the row's origin; models out are absent.

    A model's loss is its mean error over the seasonal naive's, of the steps where both spoke; over 1 it is
    out. `median` has all the weight where no error was known.
    """
    origins = np.array(proposals.origins)
    steps = origins[:, None] + np.arange(proposals.actual.shape[1])
    known = np.isfinite(proposals.actual) & (steps < origins[row])
    if not known.any():
        return {MEDIAN: 1.0}
    naive = np.abs(proposals.means[NAIVE] - proposals.actual)
    raw = {}
    for name, means in proposals.means.items():
        loss = _loss(np.abs(means - proposals.actual)[known], naive[known])
        if loss <= 1 and np.isfinite(means[row]).all():
            raw[name] = max(loss, 1e-3) ** -POWER
    total = sum(raw.values())
    return {name: weight / total for name, weight in raw.items()}


def combined_at(proposals: Proposals, row: int, weights: Mapping[str, float]) -> Values:
    """The weighted mean of what the models say at the row's origin."""
    if MEDIAN in weights:
        spoke = [means[row] for means in proposals.means.values() if np.isfinite(means[row]).all()]
        return np.asarray(np.median(np.array(spoke), axis=0))
    means = np.array([proposals.means[name][row] for name in weights])
    return np.asarray(np.array(list(weights.values())) @ means)


def _loss(errors: Values, naive: Values) -> float:
    """Mean error over the naive's, where both spoke; infinite where the model never did."""
    both = np.isfinite(errors) & np.isfinite(naive)
    if not both.any():
        return np.inf
    own, other = float(errors[both].mean()), float(naive[both].mean())
    if own == other:
        return 1.0
    return own / other if other > 0 else np.inf
