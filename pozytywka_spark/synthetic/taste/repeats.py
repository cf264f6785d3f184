"""Plays that come back: each may copy an earlier one of the same person, the latest most often.

A play copies the one `lag` plays before it, with a chance about as 1/lag (Anderson et al., "The dynamics of
repeat consumption", WWW 2014), never one of the last `REST`. What was skipped isn't copied: something new is
picked instead. Who is copied doesn't depend on the tracks, so the law of what comes back can be told.
"""

from __future__ import annotations

import numpy as np

from pozytywka_spark.synthetic.catalogue import Array

REST = 8  # plays before a track comes back


def lags(place: Array, draw: Array) -> Array:
    """How many plays back, for the play of number `place` (from 0); 0 where there is none to copy.

    `draw`: uniform in [0, 1). P(lag) = log((l + 1) / l) / log(n + 1) with l = lag - REST, n = place - REST.
    """
    reach = np.maximum(place - REST, 0)
    lag = np.floor((reach + 1.0) ** draw).astype(np.int64)
    return np.where(reach > 0, REST + np.minimum(lag, np.maximum(reach, 1)), 0)


def copy_chances(place: int, plays: int) -> Array:
    """For each of the first `plays` plays the chance that the one of number `place` (>= plays) copies it."""
    lag = place - np.arange(plays) - REST
    reach = place - REST
    if reach <= 0:
        return np.zeros(plays)
    chance = np.zeros(plays)
    far = lag >= 1
    chance[far] = np.log1p(1.0 / lag[far]) / np.log(reach + 1.0)
    return chance


def walked(
    first: Array, count: Array, picked: Array, copied: Array, skips: Array, skip_draw: Array
) -> tuple[Array, Array]:
    """Tracks and skips as played. Entries are plays, those of user i from `first[i]`, `count[i]` of them.

    `picked`: the track (place in the offer) unless another is copied; `copied`: index of the play that is
    copied, -1 for none; `skips`: plays' users × offer, the chance of a skip; `skip_draw`: uniform.
    """
    track, skipped = picked.copy(), np.zeros(len(picked), dtype=bool)
    rows = np.repeat(np.arange(len(first)), count)
    by_count = np.argsort(-count, kind="stable")
    for number in range(int(count.max(initial=0))):
        # everyone's first play, then everyone's second, of those who have so many
        some = by_count[: np.searchsorted(-count[by_count], -number, side="left")]
        at = first[some] + number
        source = copied[at]
        comes_back = (source >= 0) & ~skipped[source]
        track[at] = np.where(comes_back, track[source], picked[at])
        skipped[at] = skip_draw[at] < skips[rows[at], track[at]]
    return track, skipped
