"""What a batch of users did, as flat arrays: the one form in which the feed's kernels take events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.feed.pairs import Array

DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Listening:
    """Plays and likes of users, in the order of users and, of each, of time (microseconds since 1970, UTC).

    `play_user`, `like_user`: indices into the batch's users; `play_track`, `like_track`: into the track
    side. `play_finished` and `play_skipped` say how a play ended; one that data's end cuts off is neither.
    """

    play_user: Array
    play_track: Array
    play_us: Array
    play_finished: Array
    play_skipped: Array
    like_user: Array
    like_track: Array
    like_us: Array

    def between(self, start_us: int | None, end_us: int) -> Listening:
        """Only what lies in [start, end)."""
        low = np.iinfo(np.int64).min if start_us is None else start_us
        play = (self.play_us >= low) & (self.play_us < end_us)
        like = (self.like_us >= low) & (self.like_us < end_us)
        return Listening(
            self.play_user[play],
            self.play_track[play],
            self.play_us[play],
            self.play_finished[play],
            self.play_skipped[play],
            self.like_user[like],
            self.like_track[like],
            self.like_us[like],
        )

    def of_users(self, first: int, last: int) -> Listening:
        """Only of the users [first, last), counted from `first`."""
        play = slice(*np.searchsorted(self.play_user, [first, last]))
        like = slice(*np.searchsorted(self.like_user, [first, last]))
        return Listening(
            self.play_user[play] - first,
            self.play_track[play],
            self.play_us[play],
            self.play_finished[play],
            self.play_skipped[play],
            self.like_user[like] - first,
            self.like_track[like],
            self.like_us[like],
        )


@dataclass(frozen=True)
class Listeners:
    """A batch of users: who they are, and what they did (`listening`, whose users are the entries here)."""

    user_id: Array  # int64, sorted
    city: Array  # index into the track side's cities, -1 unknown
    favourites: Array  # users × most favourite genres, -1 where there are fewer
    listening: Listening

    def __len__(self) -> int:
        return len(self.user_id)

    def before(self, end_us: int) -> Listeners:
        """The same users as of a cut-off."""
        return Listeners(self.user_id, self.city, self.favourites, self.listening.between(None, end_us))

    def some(self, first: int, last: int) -> Listeners:
        """The users [first, last)."""
        chosen = slice(first, last)
        return Listeners(
            self.user_id[chosen],
            self.city[chosen],
            self.favourites[chosen],
            self.listening.of_users(first, last),
        )
