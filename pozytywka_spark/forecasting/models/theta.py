"""The theta method: half a straight line, half simple exponential smoothing, on deseasonalised values."""

from __future__ import annotations

from typing import Any

import numpy as np

from pozytywka_spark.forecasting.past import Past, Values


class Theta:
    """The library's dynamic optimised theta: parameters are carried, season and line estimated anew."""

    def suits(self, past: Past) -> bool:
        """Two seasons, and more values than parameters."""
        return len(past.values) >= max(8, 2 * past.season + 1)

    def begin(self, past: Past) -> dict[str, float]:
        """Smoothing and slope that fit the earliest past best."""
        from statsforecast.theta import auto_theta

        found: dict[str, float] = auto_theta(past.values, past.season, model="DOTM")["par"]
        return found

    def ahead(self, begun: dict[str, float], past: Past) -> Values:
        """The line and the smoothed level of this past."""
        from statsforecast.theta import auto_theta, forecast_theta

        again: dict[str, Any] = auto_theta(
            past.values, past.season, model="DOTM", alpha=begun["alpha"], theta=begun["theta"]
        )
        return np.asarray(forecast_theta(again, past.horizon)["mean"])
