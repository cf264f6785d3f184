"""The inventory: candidates of all sources, once each, within the caps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pozytywka_spark.feed.about import About
from pozytywka_spark.feed.inventory import sources as of
from pozytywka_spark.feed.inventory.listed import NOTHING, Listed, place_within
from pozytywka_spark.feed.pairs import Array, Pairs
from pozytywka_spark.feed.track_side import Tracks

# In the order of their bits
SOURCES = (
    "unread",
    "stirred",
    "own",
    "artist",
    "genre",
    "neighbour",
    "popular",
    "popular_city",
    "new",
    "random",
    "taste",
)
CAPS = {
    "unread": 200,
    "stirred": 100,
    "own": 250,
    "artist": 200,
    "genre": 200,
    "neighbour": 450,
    "popular": 150,
    "popular_city": 50,
    "new": 60,
    "random": 20,
    "taste": 400,
}
# Never cut in favour of others; the lowest first
_FIRST = {"unread": -3.0, "stirred": -2.0, "random": -1.0}
_MORE = ("neighbour", "popular")  # go on beyond their caps where room is left


@dataclass(frozen=True)
class Wanted:
    """`candidates` of a user at most, `caps` by source, and whether what they played before may come."""

    candidates: int = 1000
    caps: Mapping[str, int] = field(default_factory=dict)
    repeats: bool = True

    def cap(self, source: str) -> int:
        """Of a source; 0 leaves it out."""
        return {**CAPS, **self.caps}[source]


def collect(
    about: About, tracks: Tracks, lists: of.Lists, wanted: Wanted, shown: of.Shown | None = None
) -> Pairs:
    """Up to `wanted.candidates` tracks of each user, in the order of users and tracks.

    Second chances and the random share always come; of the other sources each gives the same share of its
    cap where all together are too many. Room that is left goes to neighbours, then to what is popular.
    """
    most, users = wanted.candidates, len(about)

    def cap(name: str) -> int:
        return most if name in _MORE and wanted.cap(name) else wanted.cap(name)

    listed = {
        "unread": NOTHING if shown is None else of.unread(about, shown, tracks.cut_off_us, cap("unread")),
        "stirred": of.stirred(about, tracks, cap("stirred")) if wanted.repeats else NOTHING,
        "own": of.own(about, cap("own")) if wanted.repeats else NOTHING,
        "artist": of.by_artist(about, lists, cap("artist")),
        "genre": of.by_genre(about, lists, cap("genre")),
        "neighbour": of.neighbours(about, tracks, cap("neighbour")),
        "popular": of.popular(users, lists.popular, cap("popular")),
        "popular_city": of.by_city(about, lists, cap("popular_city")),
        "new": of.new_releases(about, tracks, lists, cap("new")),
        "taste": of.by_taste(about, tracks, lists, cap("taste")),
        "random": of.at_random(about.listeners.user_id, tracks, cap("random")),
    }
    return _merged(listed, about, tracks, wanted)


def _merged(listed: Mapping[str, Listed], about: About, tracks: Tracks, wanted: Wanted) -> Pairs:
    size = len(tracks.side)
    keys, bits, urgency = [], [], []
    for number, name in enumerate(SOURCES):
        some = listed[name]
        cap = max(wanted.cap(name), 1)
        keys.append(some.user.astype(np.int64) * size + some.track)
        bits.append(np.full(len(some.place), 1 << number, dtype=np.uint16))
        late = np.where(some.place < cap, some.place / cap, some.place * (1e3 if name == "popular" else 1.0))
        urgency.append(np.full(len(some.place), _FIRST[name]) if name in _FIRST else late)
    key, bit, early = np.concatenate(keys), np.concatenate(bits), np.concatenate(urgency)
    good = tracks.released[key % size]
    if not wanted.repeats:
        past = about.tracks
        played = past.user[past.plays > 0] * size + past.thing[past.plays > 0]
        good &= ~_among(key, played)
    key, bit, early = key[good], bit[good], early[good]
    order = np.argsort(key, kind="stable")
    key, bit, early = key[order], bit[order], early[order]
    start = np.flatnonzero(np.append(True, key[1:] != key[:-1])) if len(key) else np.zeros(0, dtype=np.int64)
    if len(start):
        key, bit, early = (
            key[start],
            np.bitwise_or.reduceat(bit, start),
            np.minimum.reduceat(early, start),
        )
    user = key // size
    order = np.lexsort((key, early, user))
    chosen = np.sort(order[place_within(user[order]) < wanted.candidates])
    return Pairs(
        user_id=about.listeners.user_id,
        start=np.searchsorted(user[chosen], np.arange(len(about) + 1)).astype(np.int64),
        track=(key[chosen] % size).astype(np.int32),
        sources=bit[chosen],
    )


def _among(key: Array, sorted_keys: Array) -> Array:
    if not len(sorted_keys):
        return np.zeros(len(key), dtype=bool)
    place = np.minimum(np.searchsorted(sorted_keys, key), len(sorted_keys) - 1)
    same: Array = sorted_keys[place] == key
    return same
