"""Simpler rankings that a feed is measured beside: each scores all tracks for a batch of users.

All of them may show what the feed may show: tracks that are out before the cut-off. Where a ranking has
nothing to say of tracks (nobody it knows played them), they follow by their plays of the last 28 days: so
newcomers get what is popular lately and not the catalogue's first tracks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pozytywka_spark.feed.evaluation.als import Factors
from pozytywka_spark.feed.item_model import ItemModel, weighted_plays
from pozytywka_spark.feed.listening import Listening
from pozytywka_spark.feed.pairs import Array

POPULAR, LATELY, OWN, ALS, LINEAR = "popular", "popular_lately", "own_most_played", "als", "linear_item_model"
# Of plays that rankings are told. With it, and fitted as `track_side` does it, the linear model was at its
# best on development cut-offs of worlds with taste (tests/bench/bench_feed.py --linear).
HALF_LIFE_DAYS = 60.0


@dataclass(frozen=True)
class Known:
    """What the baselines know of all users, as of the cut-off."""

    plays: Array  # of each track, ever
    lately: Array  # of each track, in the last 28 days
    released: Array  # bool: out before the cut-off, not taken out by rules
    factors: Factors
    linear: ItemModel
    half_life_days: float = HALF_LIFE_DAYS


def baselines(past: Listening, users: int, known: Known, cut_off_us: int) -> dict[str, Array]:
    """Scores (users × tracks) by ranking, of events before the cut-off; -inf for what can't be shown."""
    size = len(known.plays)
    age = cut_off_us - past.play_us
    weighted = weighted_plays((users, size), past.play_user, past.play_track, age, known.half_life_days)
    own = sparse.csr_matrix((np.ones(len(age)), (past.play_user, past.play_track)), shape=(users, size))
    lately = known.lately / max(float(known.lately.max(initial=0.0)), 1.0)
    linear = np.zeros((users, size))
    linear[:, known.linear.track] = known.linear.scores(weighted)
    scores = {
        POPULAR: np.tile(known.plays.astype(np.float64), (users, 1)),
        LATELY: np.tile(known.lately.astype(np.float64), (users, 1)),
        OWN: own.toarray() + 0.5 * lately,
        ALS: known.factors.scores(weighted) + 1e-9 * lately,
        LINEAR: linear + 1e-9 * lately,
    }
    return {name: np.where(known.released, score, -np.inf) for name, score in scores.items()}


def ranked(scores: Array, places: int, excluded: Array | None = None) -> Array:
    """The best tracks of each user (ties: the first), -1 where there are no more.

    `excluded`: users × tracks (bool) that are no part of it.
    """
    shown = scores if excluded is None else np.where(excluded, -np.inf, scores)
    best = np.argsort(-shown, axis=1, kind="stable")[:, :places]
    there = np.isfinite(np.take_along_axis(shown, best, axis=1))
    return np.where(there, best, -1).astype(np.int32)
