"""Subgroups of users, the same wherever they are shown: by city, tenure, activity, and by month.

Slices of evaluation, segments of experiments and of the simulation all take their edges and names from here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.dataset.table import TrainingTable

OTHER, UNKNOWN = "other", "unknown"
CITIES = 20  # those with most users; the others are one subgroup
# By slice: the feature, the edges of half-open ranges of whole numbers, and what they count
RANGES: Mapping[str, tuple[str, tuple[int, ...], str]] = {
    "tenure": ("tenure_days", (30, 90, 180, 365), "days"),
    "activity": ("number_of_tracks", (1, 10, 50, 200), "plays"),
}


@dataclass(frozen=True)
class Slice:
    """A way to group rows: each row's place in `names`."""

    code: npt.NDArray[np.intp]
    names: tuple[str, ...]

    def masks(self) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
        """Each group that has rows: its name, and which they are."""
        for place in np.unique(self.code):
            yield self.names[place], self.code == place


def slices_of(table: TrainingTable) -> dict[str, Slice]:
    """By name: month, city, tenure, activity."""
    months, code = np.unique(table.month.astype("datetime64[M]"), return_inverse=True)
    slices = {"month": Slice(code, tuple(str(month) for month in months))}
    if table.city is not None:
        slices["city"] = Slice(table.city.astype(np.intp), table.cities)
    for name, (feature, edges, unit) in RANGES.items():
        if feature in table.order:
            slices[name] = _in_ranges(table.column(feature), edges, unit)
    return slices


def range_names(edges: Sequence[int], unit: str) -> tuple[str, ...]:
    """The ranges in words, from the lowest to the highest."""
    first = f"no {unit}" if edges[0] == 1 else f"under {edges[0]} {unit}"
    between = (f"{low} to {high - 1} {unit}" for low, high in itertools.pairwise(edges))
    return (first, *between, f"{edges[-1]} {unit} or more")


def named_range(name: str, value: pl.Expr) -> pl.Expr:
    """The range of `RANGES[name]` that a value is in, in words; "unknown" where it is null."""
    _, edges, unit = RANGES[name]
    *names, last = range_names(edges, unit)
    named = pl.lit(last)
    for edge, text in reversed(list(zip(edges, names, strict=True))):
        named = pl.when(value < edge).then(pl.lit(text)).otherwise(named)
    return pl.when(value.is_null()).then(pl.lit(UNKNOWN)).otherwise(named)


def largest_cities(users: Mapping[str | None, int], most: int = CITIES) -> tuple[str, ...]:
    """The cities with most users, at most so many; users of none (None) count as a city."""
    ranked = sorted(users, key=lambda city: (-users[city], city is not None, city or ""))
    return tuple(city for city in ranked[:most] if city is not None)


def _in_ranges(values: npt.NDArray[np.float32], edges: Sequence[int], unit: str) -> Slice:
    names = (*range_names(edges, unit), UNKNOWN)
    code = np.searchsorted(np.array(edges, np.float32), values, side="right")
    return Slice(np.where(np.isnan(values), len(names) - 1, code), names)
