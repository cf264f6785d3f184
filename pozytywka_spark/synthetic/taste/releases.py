"""Fresh releases: tracks that nobody could play before a Friday within the world's months."""

from __future__ import annotations

from typing import Any

import numpy as np

from pozytywka_spark.synthetic.plan import DAY_MS, Plan

Array = np.ndarray[Any, Any]

_RELEASES = 23  # key of the random numbers


def week_of(time_ms: Array) -> Array:
    """Weeks since 1970 that begin on Fridays (UTC), when music comes out."""
    week: Array = (np.asarray(time_ms) // DAY_MS - 1) // 7
    return week


def releases_of(plan: Plan, tracks: int, offered: Array) -> tuple[Array, Array]:
    """Fresh tracks (sorted indices, of so many `tracks`) and the week of each.

    They are taken from those that no pool offers (`offered`): whatever else plays tracks can't be too early.
    """
    rng = plan.rng(_RELEASES, 0)
    starts = plan.month_starts_ms()
    first, last = int(week_of(starts[0])) + 1, int(week_of(starts[-1]))
    spare = np.setdiff1d(np.arange(tracks), offered)
    wanted = round(plan.world.taste.fresh * plan.world.played_tracks * plan.world.months)
    fresh = np.sort(rng.choice(spare, min(wanted, len(spare)), replace=False))
    return fresh, rng.integers(first, last, len(fresh))


def release_dates(plan: Plan, dates: Array, offered: Array) -> Array:
    """Release dates of all tracks: to the day for fresh ones, before the world's start for all others."""
    if not plan.world.taste.on:
        return dates
    fresh, week = releases_of(plan, len(dates), offered)
    result = dates.copy()
    late = np.flatnonzero(dates.astype("U4").astype(np.int64) >= plan.world.start.year)
    result[late] = (plan.world.start.year - 1 - late % 20).astype("U4")
    result[fresh] = (week * 7 + 1).astype("datetime64[D]").astype("U10")
    return result
