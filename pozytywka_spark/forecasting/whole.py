"""A series as it came: on a grid of steps, with its holes, up to the forecast's origin and no further."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pozytywka_spark.forecasting.past import Past, Values, without_holes
from pozytywka_spark.forecasting.spec import Spec
from pozytywka_spark.forecasting.steps import Times, steps_of, times_of


@dataclass(frozen=True)
class Whole:
    """A series on its grid; NaN where a step has no value. `times` and `known` reach a horizon further."""

    values: Values
    times: Times
    known: Values
    seasons: tuple[int, ...]
    horizon: int

    @property
    def length(self) -> int:
        """Steps before the forecast's origin."""
        return len(self.values)

    def before(self, origin: int) -> Past:
        """What was seen when `origin` steps were; zeros at the beginning are cut if they last two seasons."""
        values = self.values[:origin]
        first = _begins(values, self.seasons[0])
        values, until = values[first:], origin + self.horizon
        seasons = tuple(season for season in self.seasons if 2 * season <= len(values)) or self.seasons[:1]
        return Past(
            without_holes(values, self.seasons[0]),
            np.isfinite(values),
            self.times[first:until],
            self.known[first:until],
            seasons,
            self.horizon,
        )

    def after(self, origin: int) -> Values:
        """What came then, a value a step ahead; NaN where it isn't there."""
        ahead = np.full(self.horizon, np.nan)
        there = self.values[origin : origin + self.horizon]
        ahead[: len(there)] = there
        return ahead


def _begins(values: Values, season: int) -> int:
    alive = np.flatnonzero(np.isfinite(values) & (values != 0))
    if not alive.size:
        return int(np.flatnonzero(np.isfinite(values))[0]) if np.isfinite(values).any() else 0
    first = int(np.flatnonzero(np.isfinite(values))[0])
    return int(alive[0]) if alive[0] - first >= 2 * season else first


def whole_of(rows: pl.DataFrame, spec: Spec) -> Whole | None:
    """The series of `rows` (day, value; sorted), or None where no value was seen before the origin.

    Nulls and NaN are holes. It ends at its last value, or at `spec.origin` where that is given.
    """
    seen = rows.filter(pl.col("value").is_not_null() & pl.col("value").is_not_nan())
    if spec.origin is not None:
        seen = seen.filter(pl.col("day") < pl.lit(spec.origin).str.to_datetime().cast(rows.schema["day"]))
    if seen.is_empty():
        return None
    times = seen["day"].to_numpy()
    steps = steps_of(times, spec.freq)
    end = int(steps[-1]) + 1
    if spec.origin is not None:
        end = int(steps_of(np.array([spec.origin], dtype=times.dtype), spec.freq)[0])
    begin = int(steps[0]) if spec.history is None else max(int(steps[0]), end - spec.history)
    if begin > steps[-1]:  # nothing for as long as models look back: its last value is all there is
        begin = int(steps[-1])
    inside = steps >= begin
    values = np.full(end - begin, np.nan)
    values[steps[inside] - begin] = seen["value"].to_numpy()[inside]
    first = int(np.flatnonzero(np.isfinite(values))[0])
    begin, values = begin + first, values[first:]
    axis = times_of(np.arange(begin, end + spec.horizon), spec.freq, times[-1])
    return Whole(values, axis, np.empty((len(axis), 0)), spec.seasons or (1,), spec.horizon)
