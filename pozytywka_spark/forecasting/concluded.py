"""From what models say of a bucket's series to one forecast each, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pozytywka_spark.forecasting.backtest import Proposals
from pozytywka_spark.forecasting.combine import combined_at, weights_at
from pozytywka_spark.forecasting.intervals import LEVELS, widths_of
from pozytywka_spark.forecasting.past import Values
from pozytywka_spark.forecasting.spec import Spec
from pozytywka_spark.forecasting.whole import Whole


@dataclass(frozen=True)
class Concluded:
    """By series, what is forecast.

    `means` has a row an origin, as its proposals have; `halves` half widths by level, a
    value a step ahead; `floors` the least that a row's forecast may be; `notes` (series, what, why) of
    what went otherwise.
    """

    wholes: Mapping[str, Whole]
    proposals: Mapping[str, Proposals]
    weights: Mapping[str, Mapping[str, float]]
    floors: Mapping[str, Values]
    means: Mapping[str, Values]
    halves: Mapping[str, Mapping[int, Values]]
    notes: tuple[tuple[str, str, str], ...] = field(default=())


def conclude(wholes: Mapping[str, Whole], proposals: Mapping[str, Proposals], spec: Spec) -> Concluded:
    """Weigh each origin's combination by what was known then; the last one's weights are reported."""
    weights: dict[str, Mapping[str, float]] = {}
    floors: dict[str, Values] = {}
    means: dict[str, Values] = {}
    for name, of in proposals.items():
        by_row = [weights_at(of, row) for row in range(len(of.origins))]
        floors[name] = np.where(spec.non_negative & (of.lowest >= 0), 0.0, -np.inf)
        combined = np.array([combined_at(of, row, weight) for row, weight in enumerate(by_row)])
        weights[name] = by_row[-1]
        means[name] = np.maximum(combined, floors[name][:, None])
    return Concluded(wholes, proposals, weights, floors, means, halves_of(proposals, means, spec.horizon))


def halves_of(
    proposals: Mapping[str, Proposals], means: Mapping[str, Values], horizon: int
) -> dict[str, dict[int, Values]]:
    """Half widths from the means' errors in the backtest, in the series' own unit."""
    errors = [np.abs(means[name] - of.actual)[:-1] / of.scales[:-1, None] for name, of in proposals.items()]
    return {
        name: {level: width[level] * of.scales[-1] for level in LEVELS}
        for (name, of), width in zip(proposals.items(), widths_of(errors, horizon), strict=True)
    }
