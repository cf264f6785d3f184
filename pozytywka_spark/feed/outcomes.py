"""What users did with tracks in a stretch of time: finish, skip, like, play again. Both truth and target.

How a play ended is said where events are read (`Listening`): it is skipped if a SKIP of its track follows in
its session before the next play, else finished. A play counts where it starts, with its end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.feed.listening import DAY_US, Listening
from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.names import HEADS


@dataclass(frozen=True)
class Outcomes:
    """An entry a user and track with which anything was done, sorted by both."""

    user: Array
    track: Array
    done: Array  # bool, pairs × HEADS
    plays: Array  # how many; 0: liked only

    def __len__(self) -> int:
        return len(self.user)

    def of(self, user: Array, track: Array, tracks: int) -> Array:
        """What was done with other pairs (bool, pairs × HEADS): nothing where there is no entry."""
        if not len(self):
            return np.zeros((len(user), len(HEADS)), dtype=bool)
        keys = self.user.astype(np.int64) * tracks + self.track
        wanted = np.asarray(user).astype(np.int64) * tracks + track
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        found: Array = self.done[place] & (keys[place] == wanted)[:, None]
        return found


def outcomes_of(listening: Listening, cut_off_us: int, days: int, tracks: int) -> Outcomes:
    """What was done in [cut-off, cut-off + days). `tracks`: how many there are on the track side.

    `again`: played more than once in that time, whether it had been played before or not.
    """
    after = listening.between(cut_off_us, cut_off_us + days * DAY_US)
    play_key = after.play_user.astype(np.int64) * tracks + after.play_track
    like_key = after.like_user.astype(np.int64) * tracks + after.like_track
    keys = np.unique(np.concatenate([play_key, like_key]))
    at, count = np.searchsorted(keys, play_key), len(keys)
    plays = np.bincount(at, minlength=count)
    done = np.stack(
        [
            np.bincount(at, after.play_finished, count) > 0,
            np.bincount(at, after.play_skipped, count) > 0,
            np.isin(keys, like_key),
            plays > 1,
        ],
        axis=1,
    )
    return Outcomes(keys // max(tracks, 1), keys % max(tracks, 1), done, plays)
