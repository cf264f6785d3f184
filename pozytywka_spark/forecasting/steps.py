"""Times as whole steps, so that gaps, origins and horizons are sums of integers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Steps = npt.NDArray[np.int64]
Times = npt.NDArray[np.datetime64]
_HOURS = {"h": 1, "D": 24, "W": 168}


def steps_of(times: Times, freq: str) -> Steps:
    """The number of each time's step since 1970; of a week since its weekday's first. Rounds down."""
    if freq == "MS":
        return np.asarray(times.astype("datetime64[M]").astype(np.int64))
    return np.asarray(times.astype("datetime64[h]").astype(np.int64) // _HOURS[freq])


def times_of(steps: Steps, freq: str, like: np.datetime64) -> Times:
    """The steps' times, at the same hour, weekday or day of the month as `like`, which is on the grid."""
    if freq == "MS":
        within = like - like.astype("datetime64[M]").astype(like.dtype)
        return np.asarray(steps.astype("datetime64[M]").astype(like.dtype) + within)
    hours = _HOURS[freq]
    first = steps_of(np.array([like]), freq)[0]
    unit = f"timedelta64[{np.datetime_data(like.dtype)[0]}]"
    return np.asarray(like + (steps - first) * np.timedelta64(hours, "h").astype(unit))
