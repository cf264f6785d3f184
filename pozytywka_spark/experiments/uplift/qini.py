"""The Qini curve: what treating the most persuadable share of users would bring, exact on rank bins.

Radcliffe (2007): with users ranked by estimated uplift, the extra buyers among the first share s are
the treated buyers among them less control's, scaled to as many treated; here per treated user of all. The
coefficient is the area between the curve and the straight line of treating at random.

Bootstrap over users (Poisson weights): users of a cell (ranks' bins, group, bought) are alike, and a sum of
c Poisson(1) weights is Poisson(c). So replicates are drawn from the cells' counts, on the driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pozytywka_spark.experiments.analysis.proportions import Floats

BINS = 20
_CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Curve:
    """`gain` (replicates × bins) at the upper edge of each bin, `area` a number each; 0 is the data."""

    share: Floats
    gain: Floats
    area: Floats

    def interval(self, alpha: float = 0.05) -> tuple[float, float]:
        """Percentiles of the area over the replicates."""
        low, high = np.quantile(self.area[1:], [alpha / 2, 1 - alpha / 2])
        return float(low), float(high)


def replicates(counts: npt.NDArray[np.int64], number: int, seed: int) -> Floats:
    """The counts, then `number` Poisson bootstrap replicates of them, a row each."""
    rng = np.random.default_rng(seed)
    size = max(1, _CELLS_AT_ONCE // max(1, len(counts)))
    drawn = [
        rng.poisson(counts, size=(min(size, number - first), len(counts))) for first in range(0, number, size)
    ]
    return np.concatenate([counts[None, :], *drawn]).astype(np.float64)


def curve(cells: pd.DataFrame, by: str, counts: Floats, treated_share: Mapping[int, float]) -> Curve:
    """The curve of ranking `by` (a column of bins from 0, best first).

    `cells` has a row a cell: the bin, `treated` boolean, `revision`, `bought` boolean; `counts` as of
    `replicates`. Users count by the inverse of their group's share under their revision, so that strata with
    other shares don't pass for an effect.
    """
    treated = cells["treated"].to_numpy(bool)
    share = cells["revision"].map(treated_share).to_numpy(np.float64)
    weight = 1 / np.where(treated, share, 1 - share)
    bought = cells["bought"].to_numpy(bool)
    place = cells[by].to_numpy(np.int64)

    def so_far(mask: npt.NDArray[np.bool_], weights: Floats) -> Floats:
        into = np.zeros((len(cells), BINS))
        into[np.arange(len(cells)), place] = np.where(mask, weights, 0.0)
        return np.asarray(np.cumsum(counts @ into, axis=1))

    n_t, n_c = so_far(treated, weight), so_far(~treated, weight)
    y_t, y_c = so_far(treated & bought, weight), so_far(~treated & bought, weight)
    users = so_far(np.ones(len(cells), dtype=bool), np.ones(len(cells)))
    scaled = np.divide(y_c * n_t, n_c, out=np.zeros_like(y_c), where=n_c > 0)
    gain = (y_t - scaled) / np.maximum(n_t[:, -1:], 1e-12)
    reached = users / np.maximum(users[:, -1:], 1e-12)
    return Curve(reached[0], gain, _area(reached, gain))


def _area(share: Floats, gain: Floats) -> Floats:
    """Trapezoids from (0, 0), less the triangle of the straight line to the end."""
    x = np.concatenate([np.zeros((len(share), 1)), share], axis=1)
    y = np.concatenate([np.zeros((len(gain), 1)), gain], axis=1)
    return np.asarray(np.trapezoid(y, x, axis=1) - y[:, -1] / 2)
