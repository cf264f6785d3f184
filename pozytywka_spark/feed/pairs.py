"""Users and their candidate tracks as flat arrays: what every stage of the feed hands to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class TrackSide:
    """All tracks released before the cut-off, once for all users: an entry a track, by index.

    Counts are of events before the cut-off, without farmed plays. `song`: tracks of the same artist and the
    same normalised name have one number. `genres`: indices, -1 where there are fewer.
    """

    track_id: Array  # of strings, sorted
    artist: Array  # index into `artist_id`
    artist_id: Array
    song: Array
    genres: Array  # tracks × most genres
    released_day: Array  # days since 1970
    plays: Array  # of the last 28 days
    users: Array  # who played it in the last 28 days
    embedding: Array  # float32, tracks × factors, of length 1 or 0

    def __len__(self) -> int:
        return len(self.track_id)


@dataclass(frozen=True)
class Pairs:
    """Candidates of a batch of users: those of user i are the entries `start[i]:start[i + 1]`."""

    user_id: Array  # int64, sorted
    start: Array  # int64, one more than users
    track: Array  # int32, index into the track side
    sources: Array  # uint16, a bit a source (`feed/inventory` names them)

    def __len__(self) -> int:
        return len(self.track)

    @property
    def user(self) -> Array:
        """Of each entry, the index of its user."""
        who: Array = np.repeat(np.arange(len(self.user_id)), np.diff(self.start))
        return who
