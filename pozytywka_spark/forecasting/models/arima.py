"""ARIMA within bounds: orders searched once, by conditional sums of squares, which is fast and as good."""

from __future__ import annotations

from typing import Any

import numpy as np

from pozytywka_spark.forecasting.past import Past, Values

# a season's differences and states beyond it cost seconds; such series get a trend and errors without season
LONGEST_SEASON = 24


class Arima:
    """At most (3,1,2)(1,1,1) of twenty tried; coefficients are carried."""

    def suits(self, past: Past) -> bool:
        """Two seasons and then some."""
        return len(past.values) >= max(12, 2 * _season(past) + 6)

    def begin(self, past: Past) -> dict[str, Any]:
        """Orders and coefficients of the earliest past."""
        from statsforecast.arima import auto_arima_f

        found: dict[str, Any] = auto_arima_f(
            past.values, period=_season(past), method="CSS", approximation=True, nmodels=20,
            max_p=3, max_q=2, max_P=1, max_Q=1, max_d=1, max_order=5,
        )  # fmt: skip
        return found

    def ahead(self, begun: dict[str, Any], past: Past) -> Values:
        """The same coefficients on this past."""
        from statsforecast.arima import forecast_arima, forward_arima

        return np.asarray(forecast_arima(forward_arima(begun, past.values), past.horizon)["mean"])


def _season(past: Past) -> int:
    return past.season if past.season <= LONGEST_SEASON else 1
