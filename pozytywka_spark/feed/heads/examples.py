"""Examples: pairs of the inventory as of an earlier cut-off, and what was done in the days after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.errors import GuardError
from pozytywka_spark.feed.about import about, batches
from pozytywka_spark.feed.heads.features import features_of
from pozytywka_spark.feed.heads.perturbation import guard_users
from pozytywka_spark.feed.inventory.collect import Wanted, collect
from pozytywka_spark.feed.inventory.sources import Lists, lists_of
from pozytywka_spark.feed.listening import DAY_US, Listeners
from pozytywka_spark.feed.outcomes import outcomes_of
from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.feed.track_side import Tracks

_WHOLE = 300  # of 1,000 users are held out, all their pairs with them


@dataclass(frozen=True)
class Examples:
    """`features`: features × pairs; `done`: pairs × heads; `weight`: 1 over the chance that the pair was
    taken; `user`: numbered over cut-offs; `whole`: pairs of held-out users, of whom every pair is here.
    """

    features: Array
    done: Array
    weight: Array
    user: Array
    whole: Array

    def __len__(self) -> int:
        return len(self.user)


def examples_of(
    listeners: Listeners, tracks: Tracks, wanted: Wanted, *, negatives: float, horizon_days: int, at_us: int
) -> Examples:
    """Of all users, newcomers too: some of them begin to play. Of pairs with nothing done the share
    `negatives`, drawn by a stated hash.

    Raises `GuardError` if the labels' days aren't over at `at_us`, or if what came after the tracks' cut-off
    would change a feature.
    """
    end = tracks.cut_off_us + horizon_days * DAY_US
    if end > at_us:
        raise GuardError(
            f"purge: labels from {_day(tracks.cut_off_us)} on run to {_day(end)}, "
            f"past the cut-off {_day(at_us)}"
        )
    guard_users(listeners, tracks, wanted)
    lists = lists_of(tracks, wanted.candidates)
    parts, number = [], 0
    for some in batches(listeners, len(tracks.side)):
        parts.append(_examples(some, tracks, wanted, lists, negatives, horizon_days, number))
        number += len(some)
    return together(parts)


def together(parts: list[Examples]) -> Examples:
    """Below one another."""
    return Examples(
        np.concatenate([each.features for each in parts], axis=1),
        *(
            np.concatenate([getattr(each, name) for each in parts])
            for name in ("done", "weight", "user", "whole")
        ),
    )


def _examples(
    some: Listeners,
    tracks: Tracks,
    wanted: Wanted,
    lists: Lists,
    negatives: float,
    horizon_days: int,
    number: int,
) -> Examples:
    known = about(some, tracks)
    pairs = collect(known, tracks, lists, wanted)
    user, track = pairs.user, pairs.track
    size = len(tracks.side)
    outcomes = outcomes_of(some.listening, tracks.cut_off_us, horizon_days, size)
    done = outcomes.of(user, track, size)
    whole = held_out(some.user_id)[user]
    draw = mixed(some.user_id[user] * 1_000_003 + track, tracks.cut_off_us) / np.float64(2**64)
    taken = whole | done.any(axis=1) | (draw < negatives)
    features = features_of(pairs, known, tracks)
    weight = np.where(whole | done.any(axis=1), 1.0, 1 / max(negatives, 1e-9))
    return Examples(
        features[:, taken],
        done[taken],
        weight[taken].astype(np.float32),
        user[taken] + number,
        whole[taken],
    )


def held_out(user_id: Array) -> Array:
    """Of users whether no tree is fitted on them, as of whatever cut-off."""
    hidden: Array = mixed(user_id, 0) % np.uint64(1000) < _WHOLE
    return hidden


def mixed(value: Array, salt: int) -> Array:
    """A stated hash of 64 bits (splitmix64)."""
    with np.errstate(over="ignore"):
        value = value.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(salt)
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    found: Array = value ^ (value >> np.uint64(31))
    return found


def _day(time_us: int) -> str:
    return str(np.datetime64(time_us, "us").astype("datetime64[D]"))
