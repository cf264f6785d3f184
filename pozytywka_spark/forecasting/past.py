"""What a model sees: one series up to an origin, without holes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pozytywka_spark.forecasting.steps import Steps

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Joined:
    """Users who joined in each month: `counts` of consecutive ones, the first is month `first` since 1970."""

    first: int
    counts: Values

    def before(self, day: int) -> Joined:
        """What is known as a day (since 1970) begins: the months that are over."""
        month = int(np.datetime64(day, "D").astype("datetime64[M]").astype(np.int64))
        return Joined(self.first, self.counts[: max(0, month - self.first)])


@dataclass(frozen=True)
class Past:
    """A series before an origin.

    `values` has no holes; `seen` says which of them were in the data. `steps` (numbers of steps since 1970)
    and `known` (a row a step, a column each) reach `horizon` steps further. `seasons`, the shortest first,
    may be longer than the past. `joined`: of a series of days, the users who had joined; None where unknown.
    """

    values: Values
    seen: npt.NDArray[np.bool_]
    steps: Steps
    known: Values
    seasons: tuple[int, ...]
    horizon: int
    joined: Joined | None = None

    @property
    def season(self) -> int:
        """The one that the seasonal naive repeats, 1 where there is less than one of it."""
        return self.seasons[0] if len(self.values) >= self.seasons[0] else 1


def without_holes(values: Values, season: int) -> Values:
    """Each missing value as one season before, else as the one before it; needs the first value.

    Looks back only: what is filled before an origin doesn't depend on what comes after it.
    """
    filled = values.copy()
    for at in np.flatnonzero(np.isnan(filled)):
        filled[at] = filled[at - season] if at >= season else filled[at - 1]
    return filled


def naive_error(past: Past) -> float:
    """The seasonal naive's mean absolute error within the past, the scale of MASE; never 0.

    Where it has none (a constant, a point), it is the mean absolute value, and 1 of zeros.
    """
    values, season = past.values, past.season
    both = past.seen[season:] & past.seen[:-season]
    apart = np.abs(values[season:] - values[:-season])[both]
    if apart.size and apart.mean() > 0:
        return float(apart.mean())
    return float(np.abs(values).mean()) or 1.0
