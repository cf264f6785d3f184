"""From what models say of a bucket's series to one forecast each, with intervals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pozytywka_spark.forecasting.backtest import Proposals
from pozytywka_spark.forecasting.combine import combined_at, losses_at, pooled, weights_at
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
    by_row = _weights(wholes, proposals)
    floors: dict[str, Values] = {}
    means: dict[str, Values] = {}
    for name, of in proposals.items():
        floors[name] = np.where(spec.non_negative & (of.lowest >= 0), 0.0, -np.inf)
        combined = np.array([combined_at(of, row, weights) for row, weights in enumerate(by_row[name])])
        means[name] = np.maximum(combined, floors[name][:, None])
    weights = {name: of[-1] for name, of in by_row.items()}
    return Concluded(wholes, proposals, weights, floors, means, halves_of(proposals, means, spec.horizon))


def _weights(
    wholes: Mapping[str, Whole], proposals: Mapping[str, Proposals]
) -> dict[str, list[dict[str, float]]]:
    """Weights a series and origin; series are like each other if their origins are the same times.

    At the forecast's own origin all of the bucket are: what they hold has been by then.
    """
    alike: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for name, of in proposals.items():
        alike[tuple(int(wholes[name].steps[origin]) for origin in of.origins)].append(name)
    weights: dict[str, list[dict[str, float]]] = {name: [] for name in proposals}
    for origins, names in alike.items():
        for row in range(len(origins) - 1):
            losses = {name: losses_at(proposals[name], row) for name in names}
            like_it = pooled(list(losses.values()))
            for name in names:
                weights[name].append(weights_at(proposals[name], row, losses[name], like_it))
    last = {name: losses_at(of, len(of.origins) - 1) for name, of in proposals.items()}
    like_it = pooled(list(last.values()))
    for name, of in proposals.items():
        weights[name].append(weights_at(of, len(of.origins) - 1, last[name], like_it))
    return weights


def halves_of(
    proposals: Mapping[str, Proposals], means: Mapping[str, Values], horizon: int
) -> dict[str, dict[int, Values]]:
    """Half widths from the means' errors in the backtest, in the series' own unit."""
    errors = [np.abs(means[name] - of.actual)[:-1] / of.scales[:-1, None] for name, of in proposals.items()]
    return {
        name: {level: width[level] * of.scales[-1] for level in LEVELS}
        for (name, of), width in zip(proposals.items(), widths_of(errors, horizon), strict=True)
    }
