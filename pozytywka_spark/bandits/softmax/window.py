"""How many of the latest days are enough: what was true of an old day may be so no more."""

from __future__ import annotations

import numpy as np

from pozytywka_spark.bandits.softmax.cells import divided
from pozytywka_spark.bandits.softmax.compared import Compared

# of the noise's variance in an arm's effect in a group: a tenth of what arms differ by (.02 by arm and .02 by
# arm and group), which costs next to nothing of what could be gained
ENOUGH = 0.1 * (0.02**2 + 0.02**2)
FEWEST = 14  # whole weeks, so that weekdays weigh alike


def days_needed(said: Compared) -> int:
    """Latest days with which the median arm and group is known well enough; whole weeks, two at least."""
    by_day = said.precision.sum(3)[::-1].cumsum(0)  # latest first: day × arm × group
    compared_at_all = by_day[-1] > 0
    if not compared_at_all.any():
        return len(by_day)
    variance = np.array([np.median(divided(np.ones(len(of)), of)) for of in by_day[:, compared_at_all]])
    seen = np.array([(of > 0).mean() > 0.5 for of in by_day[:, compared_at_all]])
    enough = np.flatnonzero(seen & (variance <= ENOUGH))
    if not len(enough):
        return len(by_day)
    weeks = -(-(int(enough[0]) + 1) // 7)
    return max(weeks * 7, FEWEST)
