"""The last season again: what every other model has to beat."""

from __future__ import annotations

import numpy as np

from pozytywka_spark.forecasting.past import Past, Values

# what is asked of constants and of fewer values than this: nothing else can be learnt from them
PLAIN = ("seasonal_naive", "last_value")
FEWEST = 4


class SeasonalNaive:
    """Repeats the last season; the last value where the past is shorter than one."""

    def suits(self, past: Past) -> bool:
        """Any past does."""
        return len(past.values) > 0

    def begin(self, past: Past) -> None:
        """Nothing is searched."""

    def ahead(self, begun: None, past: Past) -> Values:
        """The last season, again and again."""
        return repeated(past.values[-past.season :], past.horizon)


def repeated(season: Values, horizon: int) -> Values:
    """A season's values, again and again."""
    return np.resize(season, horizon)


class LastValue:
    """The last value for ever: of a constant it is certain, of a point or three it is all there is."""

    def suits(self, past: Past) -> bool:
        """Any past does."""
        return len(past.values) > 0

    def begin(self, past: Past) -> None:
        """Nothing is searched."""

    def ahead(self, begun: None, past: Past) -> Values:
        """The last value."""
        return np.full(past.horizon, past.values[-1])
