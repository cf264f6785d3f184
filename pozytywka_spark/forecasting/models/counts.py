"""Counts full of zeros: how often something comes, and how much then."""

from __future__ import annotations

import numpy as np

from pozytywka_spark.forecasting.models.naive import repeated
from pozytywka_spark.forecasting.past import Past, Values

FULL_OF_ZEROS = 0.3
SEASONS_OF_A_PROFILE = 8


class Counts:
    """IMAPA (Petropoulos and Kourentzes 2015), which is Croston's idea at several scales, by season."""

    def suits(self, past: Past) -> bool:
        """Whole numbers, none negative, zeros among them."""
        values = past.values
        whole = bool((values >= 0).all() and (values == np.round(values)).all())
        return (
            whole and len(values) >= 8 and float((values == 0).mean()) >= FULL_OF_ZEROS and bool(values.any())
        )

    def begin(self, past: Past) -> None:
        """Nothing is searched."""

    def ahead(self, begun: None, past: Past) -> Values:
        """The rate, times the season's profile of the last seasons, drawn to 1 as far as they hold little."""
        from statsforecast.models import IMAPA

        rate = float(np.asarray(IMAPA().forecast(past.values, 1)["mean"])[0])
        season = past.season
        seasons = min(SEASONS_OF_A_PROFILE, len(past.values) // season)
        if season == 1 or seasons < 2:
            return np.full(past.horizon, rate)
        by_place = past.values[-seasons * season :].reshape(seasons, season).sum(axis=0)
        profile = (by_place + seasons) / (by_place.mean() + seasons)
        return repeated(rate * profile, past.horizon)
