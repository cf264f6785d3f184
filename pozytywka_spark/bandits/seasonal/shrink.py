"""Estimates drawn to what they have in common, by how much they differ beyond their noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Arms = npt.NDArray[np.int64]

_GENRES = 0.5**2  # variance of genres around the slot, log units
SPREADS = np.array([0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.7, 1.0]) ** 2  # candidates: arms around their genre


def drawn_to_genres(
    mean: Array, variance: Array, carried: Array, arms: list[Arms]
) -> tuple[Array, Array, Array]:
    """Levels drawn to their genre's, and genres to the slot's; what they carry of effects goes along."""
    overall = float(np.average(mean, weights=1 / (variance + 0.1)))
    spread = _likeliest([(mean[at], variance[at]) for at in arms], overall, _GENRES)
    new_mean, new_variance, new_carried = mean.copy(), variance.copy(), carried.copy()
    for at in arms:
        weight = 1 / (variance[at] + spread)
        total = weight.sum() + 1 / _GENRES
        centre = (weight @ mean[at] + overall / _GENRES) / total
        to_genre = variance[at] / (variance[at] + spread + 1 / total)
        new_mean[at] = mean[at] + to_genre * (centre - mean[at])
        new_variance[at] = variance[at] * (1 - to_genre)
        new_carried[at] = (1 - to_genre)[:, None] * carried[at] + np.outer(
            to_genre, weight @ carried[at] / total
        )
    return new_mean, new_variance, new_carried


def drawn_to_zero(mean: Array, variance: Array) -> tuple[Array, Array]:
    """Groups × arms: each group's arms about its own mean, and drawn to it. What arms have in common doesn't
    tell which is best, so it is left out."""
    rows = list(zip(mean, variance, strict=True))
    spread = _likeliest(rows, 0.0, _GENRES)
    new_mean, new_variance = np.zeros_like(mean), np.zeros_like(variance)
    for row, (values, noise) in enumerate(rows):
        weight = 1 / (noise + spread)
        centre = weight @ values / (weight.sum() + 1 / _GENRES)
        own = spread / (noise + spread)
        new_mean[row], new_variance[row] = own * (values - centre), own * noise
    return new_mean, new_variance


def _likeliest(sets: list[tuple[Array, Array]], overall: float, between: float) -> float:
    """The variance inside sets under which their values are likeliest; `between`: that of the sets."""

    def misfit(spread: float) -> float:
        total = 0.0
        for mean, variance in sets:
            around = variance + spread
            centre = ((mean / around).sum() + overall / between) / ((1 / around).sum() + 1 / between)
            total += float((np.log(around) + (mean - centre) ** 2 / around).sum())
        return total

    return float(SPREADS[int(np.argmin([misfit(each) for each in SPREADS]))])
