"""Exponential smoothing: error, trend and season, each absent, additive or multiplicative, by AICc."""

from __future__ import annotations

from typing import Any

import numpy as np

from pozytywka_spark.forecasting.past import Past, Values

# beyond it the states of a season are too many to estimate; MSTL takes such seasons
LONGEST_SEASON = 24


class Ets:
    """The library's search, its parameters carried through later origins, whose values move the states."""

    def suits(self, past: Past) -> bool:
        """Long enough for a trend, a damping and a season of states."""
        return len(past.values) >= max(12, 2 * _season(past) + 6)

    def begin(self, past: Past) -> dict[str, Any]:
        """The best of the family by AICc."""
        return damped_or_level(past.values, _season(past), "ZNZ", "ZAZ")

    def ahead(self, begun: dict[str, Any], past: Past) -> Values:
        """The states run through the past; the last ones go on."""
        from statsforecast.ets import forecast_ets, forward_ets

        return np.asarray(forecast_ets(forward_ets(begun, past.values), past.horizon)["mean"])


def _season(past: Past) -> int:
    return past.season if past.season <= LONGEST_SEASON else 1


def damped_or_level(values: Values, season: int, level: str, trend: str) -> dict[str, Any]:
    """The better by AICc of two searches: models of a level, models of a damped trend.

    Never a trend that goes on for ever: it is right in few series and ruins the forecasts of many.
    """
    from statsforecast.ets import ets_f

    tried: list[dict[str, Any]] = [ets_f(values, season, model=level)]
    if np.ptp(values) > 0:
        tried.append(ets_f(values, season, model=trend, damped=True))
    return min(tried, key=lambda found: float(found["aicc"]))
