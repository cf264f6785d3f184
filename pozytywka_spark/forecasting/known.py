"""Columns that are known ahead: those of the day of the month for daily series, and those that are given."""

from __future__ import annotations

import numpy as np
import polars as pl

from pozytywka_spark.forecasting.past import Values
from pozytywka_spark.forecasting.steps import Times, steps_of

HARMONICS = 2


def known_of(times: Times, freq: str, given: pl.DataFrame | None) -> Values:
    """A row a step, a column each; `given` (day, numbers) is matched by step, and 0 where it is silent."""
    columns = _days_of_month(times) if freq == "D" else []
    if given is not None and given.height:
        at = np.searchsorted(mine := steps_of(times, freq), theirs := steps_of(given["day"].to_numpy(), freq))
        inside = (at < len(mine)) & (mine[np.minimum(at, len(mine) - 1)] == theirs)
        for name in sorted(set(given.columns) - {"day", "series"}):
            column = np.zeros(len(times))
            column[at[inside]] = given[name].cast(pl.Float64).fill_null(0.0).to_numpy()[inside]
            columns.append(column)
    return np.column_stack(columns) if columns else np.empty((len(times), 0))


def _days_of_month(times: Times) -> list[Values]:
    months = times.astype("datetime64[M]")
    begin, end = months.astype("datetime64[D]"), (months + 1).astype("datetime64[D]")
    day = (times.astype("datetime64[D]") - begin).astype(np.float64)
    turn = 2 * np.pi * day / (end - begin).astype(np.float64)
    waves = [wave(k * turn) for k in range(1, HARMONICS + 1) for wave in (np.sin, np.cos)]
    return [
        *waves,
        (day == 0).astype(np.float64),
        (times.astype("datetime64[D]") + 1 == end).astype(np.float64),
    ]
