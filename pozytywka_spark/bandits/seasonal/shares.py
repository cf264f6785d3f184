"""How often each arm is the best, and the probabilities made of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_LOT = 2_000_000  # numbers drawn at once
_FEWEST, _MOST = 1000, 4000  # draws


def draws_for(arms: int) -> int:
    """How many draws are made: fewer where arms are many."""
    return int(np.clip(_LOT // max(arms, 1), _FEWEST, _MOST))


def best_shares(draws: Array) -> Array:
    """Share of the draws (× arms) in which each arm is the best."""
    return np.bincount(draws.argmax(axis=1), minlength=draws.shape[1]) / len(draws)


def watched(draws: Array, arms: list[npt.NDArray[np.int64]], watch: float) -> Array:
    """Shares of being best, `watch` of them spread evenly over genres (the arms of each).

    A season comes to a genre as a whole, and is seen only where the genre's better arms are shown.
    """
    inside = np.zeros(draws.shape[1])
    for at in arms:
        inside[at] = best_shares(draws[:, at]) / len(arms)
    result: Array = (1 - watch) * best_shares(draws) + watch * inside
    return result


def bounded(shares: Array, least_counted: float, floor: float, cap: float, rng: np.random.Generator) -> Array:
    """Probabilities of at least `floor` and at most `cap`; the sum is 1.

    An arm that would be shown so rarely that its rounds aren't summed (under `least_counted`) is shown that
    often on some days and not at all on others, drawn so that its mean stays.
    """
    arms = len(shares)
    floor, cap = min(floor, 1 / arms), max(cap, 1 / arms)
    result = _countable(shares, least_counted, rng)
    # what is over the cap goes to the others in proportion, what they lack to the floor comes from all
    result = floor + (1 - arms * floor) * result
    for _ in range(arms):
        over = result > cap
        excess = float((result[over] - cap).sum())
        if excess <= 1e-15:
            break
        result[over] = cap
        room = result < cap
        weight = result[room] if result[room].sum() > 0 else np.ones(int(room.sum()))
        result[room] += excess * weight / weight.sum()
    total: Array = result / result.sum()
    return total


def _countable(shares: Array, least: float, rng: np.random.Generator) -> Array:
    rare = shares < least
    shown = np.flatnonzero(rare & (rng.random(len(shares)) * least < shares))
    room = int(1 / least)
    if len(shown) > room:
        shown = rng.permutation(shown)[:room]
    others = np.where(rare, 0.0, shares)
    if not others.sum():
        others[shown if len(shown) else rare] = 1.0
        shown = shown[:0]
    result: Array = others * (1 - least * len(shown)) / others.sum()
    result[shown] = least
    return result
