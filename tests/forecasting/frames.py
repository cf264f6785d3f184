"""Series for tests of models: made of a few words each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl

FIRST = date(2023, 1, 2)  # a Monday
WEEK = np.array([0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 0.9])


def daily(series: Mapping[str, Sequence[float | None] | np.ndarray], first: date = FIRST) -> pl.DataFrame:
    """Values of consecutive days, by name."""
    return pl.concat(
        pl.DataFrame(
            {
                "series": [name] * len(values),
                "day": [first + timedelta(at) for at in range(len(values))],
                "value": list(values),
            },
            schema={"series": pl.String, "day": pl.Date, "value": pl.Float64},
        )
        for name, values in sorted(series.items())
    )


def weekly_rhythm(days: int, level: float = 100.0, noise: float = 0.05, seed: int = 0) -> np.ndarray:
    """A week's profile with noise."""
    draws = np.random.default_rng(seed).normal(1.0, noise, days)
    return level * WEEK[np.arange(days) % 7] * draws
