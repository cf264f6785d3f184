"""One forecast of several: weights by past error, nothing that was worse than the seasonal naive."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pozytywka_spark.forecasting.past import Values

NAIVE = "seasonal_naive"
POWER = 4.0


def weights_of(errors: Mapping[str, Values]) -> dict[str, float]:
    """A weight a model, of sum 1, from scaled absolute errors (a row an origin, a column a step ahead).

    A model's loss is its mean error relative to the seasonal naive's over the steps where both spoke; worse than
    1 is out. What remains weighs as the loss to the power of -4.
    """
    losses = {name: relative_loss(error, errors[NAIVE]) for name, error in errors.items()}
    good = {name: max(loss, 1e-3) for name, loss in losses.items() if loss <= 1}
    if not good:
        return {NAIVE: 1.0}
    raw = {name: loss**-POWER for name, loss in good.items()}
    total = sum(raw.values())
    return {name: weight / total for name, weight in raw.items()}


def relative_loss(error: Values, naive: Values) -> float:
    """Mean error over the naive's, where both are there; infinite where nothing is, 1 where both are perfect."""
    both = np.isfinite(error) & np.isfinite(naive)
    if not both.any():
        return float("inf")
    own, other = float(error[both].mean()), float(naive[both].mean())
    return 1.0 if own == other else (own / other if other > 0 else float("inf"))


def combined(means: Mapping[str, Values], weights: Mapping[str, float]) -> Values:
    """The weighted mean, a row an origin; models that are silent at an origin leave their weight to the others."""
    total = np.zeros_like(next(iter(means.values())))
    share = np.zeros_like(total)
    for name, weight in weights.items():
        spoke = np.isfinite(means[name])
        total += np.where(spoke, weight * np.nan_to_num(means[name]), 0.0)
        share += np.where(spoke, weight, 0.0)
    naive = means[NAIVE]
    return np.where(share > 0, total / np.where(share > 0, share, 1), naive)
