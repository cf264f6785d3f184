"""What a forecast is asked for: plain values, so that tasks take them without settings or Spark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from pozytywka_spark.forecasting.joined import JoinedByCity

# How many steps make a season, the shortest first: of hours a day and a week, of days a week and a year
SEASONS: Mapping[str, tuple[int, ...]] = {"h": (24, 168), "D": (7, 365), "W": (52,), "MS": (12,)}
MODELS = (
    "growth",
    "last_year",
    "harmonic",
    "cohorts",
    "theta",
    "ets",
    "arima",
    "mstl",
    "mstl_long",
    "calendar",
    "counts",
    "trees",
)


@dataclass(frozen=True)
class Spec:
    """A forecast of all series of a frame.

    `freq` is one step of time: `h`, `D`, `W` or `MS` (the first of a month). `seasons` are counted in steps,
    the shortest first; the seasonal naive, which every model is measured by, repeats the last
    `season_for_naive` of them (the shortest where it is 0). `history` caps how many steps before the origin
    models see. `known` has a column `day`, maybe `series`, and numbers that are known ahead: it reaches to
    the horizon's end. `joined`: users who joined, by month, of whom days' values come. `origin` (ISO) is
    the first step not seen; without it a series' origin follows its last value. `count` lets whole numbers
    full of zeros have a count model; `non_negative` keeps a series that never was negative from becoming
    so. `model_seconds` is what one model of one series may take, backtest and all.
    """

    horizon: int
    freq: str = "D"
    seasons: tuple[int, ...] = (7, 365)
    season_for_naive: int = 0
    origins: int = 4
    history: int | None = 730
    origin: str | None = None
    count: bool = True
    non_negative: bool = True
    model_seconds: float = 20.0
    seed: int = 0
    models: tuple[str, ...] = MODELS
    known: pl.DataFrame | None = field(default=None, compare=False)
    joined: JoinedByCity | None = None

    @property
    def naive_season(self) -> int:
        """Steps of the season that the seasonal naive repeats."""
        return self.season_for_naive or (self.seasons[0] if self.seasons else 1)


class Outcome(NamedTuple):
    """What a bucket of series came to; each sorted by its grain.

    `forecasts`: series, ahead (from 1), time, mean, low_80, high_80, low_90, high_90, weights (a list of
    model and weight, which Arrow takes as a map). `errors`: series, model (or `combined`), origin, ahead,
    time, mean, actual, scaled (the absolute error over the seasonal naive's mean one in the history before
    the origin). `failures`: series, model, reason; each cost a model of a series and nothing else.
    """

    forecasts: pl.DataFrame
    errors: pl.DataFrame
    failures: pl.DataFrame
