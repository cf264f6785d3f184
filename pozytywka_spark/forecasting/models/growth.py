"""The last season, moved by how the level has changed since; the last long season's course."""

from __future__ import annotations

import numpy as np

from pozytywka_spark.forecasting.models.naive import repeated
from pozytywka_spark.forecasting.past import Past, Values

# short seasons that a level is the mean of, where the course of a long one is followed
LEVEL_OF = 2
# times, or a share of: a season beside one of nearly nothing would be any number
MOST = 4.0


class Growth:
    """The last season's values, times how this one runs beside it: for hardly two seasons of a past."""

    def suits(self, past: Past) -> bool:
        """One season and a quarter."""
        return past.season > 1 and len(past.values) >= past.season + max(2, past.season // 4)

    def begin(self, past: Past) -> None:
        """Nothing is searched."""

    def ahead(self, begun: None, past: Past) -> Values:
        """A ratio where everything is positive, a difference else."""
        season = past.season
        window = max(2, min(past.horizon, season // 4, len(past.values) - season))
        now, then = past.values[-window:], past.values[-window - season : -season]
        return _moved(repeated(past.values[-season:], past.horizon), now.mean(), then.mean())


class LastYear:
    """The latest short seasons' profile, along the course that levels took one long season before."""

    def suits(self, past: Past) -> bool:
        """A short and a long season, of the long one enough to know the level a long one ago, and no
        longer horizon.
        """
        if len(past.seasons) < 2 or past.season == 1:
            return False
        back = _back(past)
        return len(past.values) >= back + LEVEL_OF * past.season and past.horizon <= back - past.season

    def begin(self, past: Past) -> None:
        """Nothing is searched."""

    def ahead(self, begun: None, past: Past) -> Values:
        """A ratio of levels where everything is positive, a difference else; the level is a trailing mean."""
        season, values, back = past.season, past.values, _back(past)
        window = LEVEL_OF * season
        profile = repeated(values[-window:].reshape(LEVEL_OF, season).mean(axis=0), past.horizon)
        sums = np.concatenate([[0.0], np.cumsum(values)])
        # a long season ago: the level until the origin, and until each step that now lies ahead, seen from
        # its middle
        ends = np.minimum(len(values) - back + np.arange(1, past.horizon + 1) + window // 2, len(values))
        then = (sums[ends] - sums[ends - window]) / window
        return _moved(profile, then, values[-back - window : len(values) - back].mean())


def _back(past: Past) -> int:
    """The first long season, in whole short ones: a Monday is compared to Mondays."""
    return past.seasons[1] // past.season * past.season


def _moved(values: Values, now: Values | np.float64, then: np.float64) -> Values:
    if values.min() > 0 and np.min(now) > 0 and then > 0:
        return np.asarray(values * np.clip(now / then, 1 / MOST, MOST))
    return np.asarray(values + (now - then))
