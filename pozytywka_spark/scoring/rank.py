"""Ranks of a month's users, and their tenths."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

DECILES = 10


def ranks(
    by: npt.NDArray[np.float64], tie: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Rank and decile of each row: 1 has the highest `by`, of equals the lower `tie`."""
    rank = np.empty(len(by), np.int64)
    rank[np.lexsort((tie, -by))] = np.arange(1, len(by) + 1)
    return rank, ((rank - 1) * DECILES // max(len(by), 1) + 1).astype(np.int32)
