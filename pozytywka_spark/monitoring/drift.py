"""Distances between two distributions given as counts, and how large chance alone makes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.config import Monitoring
from pozytywka_spark.monitoring.counts import Counts, Floats

PSI, KS, JS, NULLS = "psi", "ks", "js", "null_rate"
DISTANCES = (PSI, KS, JS, NULLS)
_SMOOTH = 0.5  # added to each occupied bin, so that an empty one isn't infinitely far


@dataclass(frozen=True)
class Distance:
    """A distance and what it must exceed to alarm; null if one side knows no value."""

    metric: str
    value: float | None
    threshold: float
    noise: float

    @property
    def limit(self) -> float:
        """The larger of what is too much and what chance alone gives."""
        return max(self.threshold, self.noise)

    @property
    def alert(self) -> bool:
        """Whether the distance is beyond both."""
        return self.value is not None and self.value > self.limit


def distances_of(
    reference: Counts, month: Counts, users: float, chance: float, limits: Monitoring
) -> list[Distance]:
    """All distances of a subject.

    `users` are the different users behind the reference: a user's months are alike, so that they count as
    one observation rather than several. `chance` is that of a false alarm of one distance.
    """
    independent = min(reference.not_null, users * _share_known(reference))
    spread = _per_row(independent, month.not_null)
    occupied = int(((reference.tenths + month.tenths) > 0).sum())
    freedom = max(occupied - 1, 1)
    has_both = bool(reference.not_null and month.not_null)
    return [
        Distance(PSI, psi(reference.tenths, month.tenths) if has_both else None, limits.psi,
                 psi_noise(spread, freedom, chance)),
        Distance(KS, ks(reference.bins, month.bins) if has_both else None, limits.ks,
                 ks_noise(spread, chance)),
        Distance(JS, js(reference.tenths, month.tenths) if has_both else None, limits.js,
                 js_noise(spread, freedom, chance)),
        Distance(NULLS, _null_shift(reference, month), limits.nulls,
                 null_noise(reference, month, users, chance)),
    ]  # fmt: skip


def psi(reference: Floats, month: Floats) -> float:
    """Population stability index: sum of (q - p) ln(q / p) over bins that either side has."""
    inside = (reference + month) > 0
    p, q = (_smoothed(side[inside]) for side in (reference, month))
    return float(((q - p) * np.log(q / p)).sum())


def ks(reference: Floats, month: Floats) -> float:
    """Largest distance of the two distribution functions at the bins' edges.

    Exact for values that only fall on edges, such as small counts; else too low by at most the share of
    the fullest bin, a fiftieth of the reference.
    """
    return float(np.abs(np.cumsum(reference) / reference.sum() - np.cumsum(month) / month.sum()).max())


def js(reference: Floats, month: Floats) -> float:
    """Jensen-Shannon distance, base 2: 0 for the same distribution, 1 for disjoint ones."""
    from scipy.special import rel_entr

    p, q = reference / reference.sum(), month / month.sum()
    middle = (p + q) / 2
    divergence = float((rel_entr(p, middle) + rel_entr(q, middle)).sum()) / 2
    # a hair below 0, by rounding, where both are alike: scipy's own jensenshannon is no number then
    return float(np.sqrt(max(divergence, 0.0) / np.log(2)))


def psi_noise(spread: float, freedom: int, chance: float) -> float:
    """PSI that the same distribution exceeds with that chance: `spread` = 1/n + 1/m times chi-square.

    Yurdakul and Naranjo, Statistical properties of the population stability index, Journal of Risk Model
    Validation 14 (2020).
    """
    from scipy.stats import chi2

    return float(spread * chi2.isf(chance, freedom))


def ks_noise(spread: float, chance: float) -> float:
    """As `psi_noise`, by Kolmogorov's distribution of two samples."""
    return float(np.sqrt(-np.log(chance / 2) / 2 * spread))


def js_noise(spread: float, freedom: int, chance: float) -> float:
    """As `psi_noise`: near equality eight divergences (in nats) are one PSI, for both are quadratic there."""
    return float(np.sqrt(psi_noise(spread, freedom, chance) / 8 / np.log(2)))


def null_noise(reference: Counts, month: Counts, users: float, chance: float) -> float:
    """As `psi_noise`: the normal limit of a difference of two shares, pooled."""
    from scipy.stats import norm

    spread = _per_row(min(reference.rows, users), month.rows)
    pooled = (reference.nulls + month.nulls + 1) / (reference.rows + month.rows + 2)
    return float(norm.isf(chance / 2) * np.sqrt(pooled * (1 - pooled) * spread))


def _null_shift(reference: Counts, month: Counts) -> float | None:
    if not (reference.rows and month.rows):
        return None
    return abs(month.nulls / month.rows - reference.nulls / reference.rows)


def _share_known(counts: Counts) -> float:
    return counts.not_null / counts.rows if counts.rows else 0.0


def _per_row(reference: float, month: float) -> float:
    """1/n + 1/m; of a side without values as if it had one."""
    return 1 / max(reference, 1.0) + 1 / max(month, 1.0)


def _smoothed(counts: Floats) -> Floats:
    return np.asarray((counts + _SMOOTH) / (counts.sum() + _SMOOTH * len(counts)))
