"""Audits of a live side: a test that may be looked at after every case, and never wears out.

Against "at most `limit` of its decisions are wrong" stands a mixture of worse shares. With each audited
case a bet is settled: its likelihood under the worse share over that under the limit. While the side is as
good as demanded, the product is a supermartingale, so it ever reaches 1 / alpha with probability alpha at
most (Ville 1939; Robbins 1970), however often one looks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pozytywka_spark.factory.proof.binomial import Floats

ALPHA = 0.01  # of all sides that are as good as demanded, this share is ever withdrawn
_TIMES = (1.5, 2.0, 3.0, 4.0, 6.0, 10.0, 20.0)  # worse shares, in limits


def evidence(wrong: Sequence[bool], limit: float) -> Floats:
    """After each audit, in their order of time: how many times likelier a worse side is."""
    seen = np.asarray(wrong, dtype=np.bool_)
    worse = np.minimum(limit * np.array(_TIMES), 0.5)[:, None]
    steps = np.where(seen, np.log(worse / limit), np.log((1 - worse) / (1 - limit)))
    paths = np.cumsum(steps, axis=1)
    return np.asarray(np.exp(np.minimum(paths, 700.0)).mean(axis=0), dtype=np.float64)


def withdrawn_at(wrong: Sequence[bool], limit: float, alpha: float = ALPHA) -> int | None:
    """The audit after which the side is withdrawn, None if it stays."""
    reached = np.flatnonzero(evidence(wrong, limit) >= 1.0 / alpha)
    return int(reached[0]) if len(reached) else None
