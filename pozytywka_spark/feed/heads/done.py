"""What users did with tracks in the days after a cut-off: the labels of the heads."""

from __future__ import annotations

import numpy as np

from pozytywka_spark.feed.listening import Listening
from pozytywka_spark.feed.pairs import Array

HEADS = ("finish", "skip", "like", "again")


def done_of(after: Listening, user: Array, track: Array, tracks: int) -> Array:
    """Pairs × heads (bool): played to its end, skipped, liked, played more than once; of the plays in `after`.

    `user`: rows of the batch.
    """
    key = user.astype(np.int64) * tracks + track
    play = after.play_user.astype(np.int64) * tracks + after.play_track
    like = after.like_user.astype(np.int64) * tracks + after.like_track
    keys, times = np.unique(play, return_counts=True)
    return np.stack(
        [
            _among(key, np.unique(play[after.play_finished])),
            _among(key, np.unique(play[after.play_skipped])),
            _among(key, np.unique(like)),
            _among(key, keys[times > 1]),
        ],
        axis=1,
    )


def _among(key: Array, sorted_keys: Array) -> Array:
    if not len(sorted_keys):
        return np.zeros(len(key), dtype=bool)
    place = np.minimum(np.searchsorted(sorted_keys, key), len(sorted_keys) - 1)
    same: Array = sorted_keys[place] == key
    return same
