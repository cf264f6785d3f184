"""Seasons taken apart by loess, one within the other; what remains goes on by exponential smoothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from pozytywka_spark.forecasting.models.ets import damped_or_level
from pozytywka_spark.forecasting.models.naive import repeated
from pozytywka_spark.forecasting.past import Past, Values

# loess at every tenth point of a window, straight lines between: a tenth of the time, no visible difference
POINTS_OF_A_WINDOW = 10
# windows of a season's own loess, the shortest season's first, as in R's forecast::mstl
WINDOWS = (11, 15, 19)
ROUNDS = 2


class Mstl:
    """Of the shortest season, or of all that a past has two of; a level or a damped trend for the rest."""

    def __init__(self, every_season: bool) -> None:
        self.every_season = every_season

    def suits(self, past: Past) -> bool:
        """Two of the shortest season at least; of every season, where there is more than one."""
        least = past.seasons[: 2 if self.every_season else 1]
        if self.every_season and len(least) < 2:
            return False
        return past.season > 1 and len(past.values) >= max(14, 2 * least[-1])

    def begin(self, past: Past) -> dict[str, Any]:
        """How smooth the rest is, and which seasons there are two of."""
        seasons = tuple(season for season in past.seasons if 2 * season <= len(past.values))
        seasons = seasons if self.every_season else seasons[:1]
        rest = seasons_apart(past.values, seasons)[0]
        return {"seasons": seasons, "rest": damped_or_level(rest, 1, "ANN", "AAN")}

    def ahead(self, begun: dict[str, Any], past: Past) -> Values:
        """The rest, and each season's last."""
        from statsforecast.ets import forecast_ets, forward_ets

        rest, parts = seasons_apart(past.values, begun["seasons"])
        mean = np.asarray(forecast_ets(forward_ets(begun["rest"], rest), past.horizon)["mean"])
        for season, part in parts.items():
            mean = mean + repeated(part[-season:], past.horizon)
        return mean


def seasons_apart(values: Values, seasons: tuple[int, ...]) -> tuple[Values, dict[int, Values]]:
    """The values without their seasons, and each season's part; several are estimated in turns.

    The algorithm is that of Bandara, Hyndman and Bergmeir (2021, MSTL); the library's own can't jump by
    window.
    """
    parts = {season: np.zeros_like(values) for season in seasons}
    rest = values.copy()
    for _ in range(ROUNDS if len(seasons) > 1 else 1):
        for season, window in zip(seasons, WINDOWS, strict=False):
            rest = rest + parts[season]
            parts[season] = _season(rest, season, window)
            rest = rest - parts[season]
    return rest, parts


def _season(values: Values, season: int, window: int) -> Values:
    from statsmodels.tsa.seasonal import STL

    jump = max(1, season // POINTS_OF_A_WINDOW)
    found = STL(
        values,
        period=season,
        seasonal=window,
        seasonal_deg=0,
        seasonal_jump=2,
        trend_jump=jump,
        low_pass_jump=jump,
    )
    return np.asarray(found.fit().seasonal)
