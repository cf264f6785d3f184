"""By lot: the order in which disagreeing cases are asked about again, and what those asked say of all.

Where more cases disagree than people can be asked about, lots decide who is, apart from score and verdict.
Cases asked about are then those whose lot lies below a share `s` of all lots, so that of `n` decisions, each
wrong with probability `w`, the wrong ones among them are binomial (n, s w), whatever the number of people's
errors beside them.
"""

from __future__ import annotations

import numpy as np

from pozytywka_spark.factory.proof.binomial import Floats, Whole
from pozytywka_spark.factory.proof.cases import NOT_LOOKED, Cases, Flags

_MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1))


def lots(cases: Cases) -> Floats:
    """A number in [0, 1) of each case, as good as apart from its `order` (SplitMix64's last steps)."""
    mixed = cases.order.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in _MIX:
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray((mixed >> np.uint64(11)) * 2.0**-53, dtype=np.float64)


def asked_share(lot: Floats, looked: Flags) -> float:
    """Of disagreeing cases: down to which lot they were asked about; all where that leaves none out, or where
    fewer than half of those down to it were.

    Asked in order of their lots until so many are, the last of these is a time at which to stop a count that
    knows nothing of later ones. Cases below it that nobody answered for have to be taken for wrong.
    """
    if not looked.any():
        return 1.0
    last = float(lot[looked].max())
    has_half = 2 * int(looked.sum()) >= int(np.sum(lot <= last))
    return last if has_half and np.any(lot[~looked] > last) else 1.0


def was_looked(cases: Cases) -> Flags:
    """Which have a majority of second looks."""
    return np.asarray(cases.looked != NOT_LOOKED)


def by_lot(cases: Cases, among: Flags) -> Whole:
    """Positions `among` these in the order of their lots."""
    rows = np.flatnonzero(among)
    return rows[np.argsort(lots(cases)[rows])]
