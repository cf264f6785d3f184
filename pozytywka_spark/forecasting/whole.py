"""A series as it came: on a grid of steps, with its holes, up to the forecast's origin and no further."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pozytywka_spark.forecasting.known import known_of
from pozytywka_spark.forecasting.past import Joined, Past, Values, without_holes
from pozytywka_spark.forecasting.spec import Spec
from pozytywka_spark.forecasting.steps import Steps, Times, steps_of, times_of


@dataclass(frozen=True)
class Whole:
    """A series on its grid, NaN where nothing is; `steps`, `times`, `known` reach a horizon further."""

    values: Values
    steps: Steps
    times: Times
    known: Values
    seasons: tuple[int, ...]
    horizon: int
    joined: Joined | None = None

    @property
    def length(self) -> int:
        """Steps before the forecast's origin."""
        return len(self.values)

    def pasts(self, origins: tuple[int, ...]) -> list[Past]:
        """What was seen at each of the origins, which are numbers of steps seen."""
        return [self._before(origin) for origin in origins]

    def after(self, origin: int) -> Values:
        """What came then, a value a step ahead; NaN where it isn't there."""
        ahead = np.full(self.horizon, np.nan)
        there = self.values[origin : origin + self.horizon]
        ahead[: len(there)] = there
        return ahead

    def _before(self, origin: int) -> Past:
        """Zeros at the beginning are cut where they last two seasons: nothing was there yet."""
        values = self.values[:origin]
        first = _begins(values, self.seasons[0])
        values, until = values[first:], origin + self.horizon
        return Past(
            without_holes(values, self.seasons[0]),
            np.isfinite(values),
            self.steps[first:until],
            self.known[first:until],
            self.seasons,
            self.horizon,
            self.joined and self.joined.before(int(self.steps[origin])),
        )


def _begins(values: Values, season: int) -> int:
    present = np.flatnonzero(np.isfinite(values))
    alive = np.flatnonzero(np.isfinite(values) & (values != 0))
    if alive.size and alive[0] - present[0] >= 2 * season:
        return int(alive[0])
    return int(present[0])


def whole_of(rows: pl.DataFrame, spec: Spec) -> Whole | None:
    """The series of `rows` (series, day, value; sorted), or None where no value was seen before the origin.

    Nulls and NaN are holes. It ends at its last value, or at `spec.origin` where that is given.
    """
    seen = rows.filter(pl.col("value").is_not_null() & pl.col("value").is_not_nan())
    times = seen["day"].to_numpy()
    if spec.origin is not None:
        seen = seen.filter(times < np.datetime64(spec.origin))
        times = seen["day"].to_numpy()
    if not len(times):
        return None
    steps = steps_of(times, spec.freq)
    end = int(steps[-1]) + 1
    if spec.origin is not None:
        end = int(steps_of(np.array([spec.origin], dtype=times.dtype), spec.freq)[0])
    begin = int(steps[0]) if spec.history is None else max(int(steps[0]), end - spec.history)
    # nothing for as long as models look back: its last value is all there is
    begin = int(steps[np.searchsorted(steps, begin)]) if begin <= steps[-1] else int(steps[-1])
    inside = steps >= begin
    values = np.full(end - begin, np.nan)
    values[steps[inside] - begin] = seen["value"].to_numpy()[inside]
    reach = np.arange(begin, end + spec.horizon)
    axis = times_of(reach, spec.freq, times[-1])
    known = known_of(axis, spec.freq, _of_series(spec.known, rows))
    joined = spec.joined.of_series(str(rows["series"][0])) if spec.joined and spec.freq == "D" else None
    return Whole(values, reach, axis, known, _seasons(spec), spec.horizon, joined)


def _seasons(spec: Spec) -> tuple[int, ...]:
    """The naive's first, then the longer ones."""
    return (spec.naive_season, *sorted(season for season in spec.seasons if season > spec.naive_season))


def _of_series(known: pl.DataFrame | None, rows: pl.DataFrame) -> pl.DataFrame | None:
    if known is None or "series" not in known.columns:
        return known
    return known.filter(pl.col("series") == rows["series"][0])
