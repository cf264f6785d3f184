"""Guard: what came at or after the cut-off, deleted or scrambled, changes no candidate and no feature."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pozytywka_spark.errors import GuardError
from pozytywka_spark.feed.about import about
from pozytywka_spark.feed.heads.features import NAMES, features_of
from pozytywka_spark.feed.inventory.collect import Wanted, collect
from pozytywka_spark.feed.inventory.sources import lists_of
from pozytywka_spark.feed.listening import Listeners, Listening
from pozytywka_spark.feed.pairs import Array, Pairs
from pozytywka_spark.feed.track_side import Catalogue, Tracks, counts_of

USERS = 50  # that are looked at
_SEED = 27


def scrambled(listening: Listening, cut_off_us: int, tracks: int) -> Listening:
    """The same, what lies at or after the cut-off with other tracks and ends, all at the cut-off."""
    rng = np.random.default_rng(_SEED)
    play, like = listening.play_us >= cut_off_us, listening.like_us >= cut_off_us

    def other(track: Array, late: Array) -> Array:
        return np.where(late, rng.integers(0, max(tracks, 1), len(track)), track)

    return replace(
        listening,
        play_track=other(listening.play_track, play),
        play_us=np.where(play, cut_off_us, listening.play_us),
        play_finished=listening.play_finished ^ play,
        play_skipped=listening.play_skipped ^ play,
        like_track=other(listening.like_track, like),
        like_us=np.where(like, cut_off_us, listening.like_us),
    )


def worlds(listeners: Listeners, cut_off_us: int, tracks: int) -> dict[str, Listeners]:
    """The same users in the two worlds that must look alike."""
    return {
        "deleted": listeners.before(cut_off_us),
        "scrambled": replace(listeners, listening=scrambled(listeners.listening, cut_off_us, tracks)),
    }


def guard_users(listeners: Listeners, tracks: Tracks, wanted: Wanted) -> None:
    """Of some users: candidates and features as they are. Raises `GuardError` naming a feature and a pair."""
    some = listeners.some(0, min(USERS, len(listeners)))
    lists = lists_of(tracks, wanted.candidates)

    def seen(users: Listeners) -> tuple[Pairs, Array]:
        known = about(users, tracks)
        pairs = collect(known, tracks, lists, wanted)
        return pairs, features_of(pairs, known, tracks)

    pairs, features = seen(some)
    for world, users in worlds(some, tracks.cut_off_us, len(tracks.side)).items():
        others, changed = seen(users)
        if not np.array_equal(pairs.start, others.start) or not np.array_equal(pairs.track, others.track):
            raise GuardError(f"perturbation: with what came after the cut-off {world}, candidates are others")
        unlike = ~((features == changed) | (np.isnan(features) & np.isnan(changed)))
        if unlike.any():
            row, at = (int(where[0]) for where in np.nonzero(unlike))
            raise GuardError(
                f"perturbation: feature {NAMES[row]} of user {pairs.user_id[pairs.user[at]]}, track "
                f"{tracks.side.track_id[pairs.track[at]]} changes with what came after the cut-off {world}"
            )


def guard_counts(listeners: Listeners, catalogue: Catalogue, cut_off_us: int) -> None:
    """Of some users: what is counted of tracks. Raises `GuardError` naming the count."""
    some = listeners.some(0, min(USERS, len(listeners)))
    counts = counts_of(some, catalogue, cut_off_us)
    for world, users in worlds(some, cut_off_us, len(catalogue)).items():
        changed = counts_of(users, catalogue, cut_off_us)
        for name in ("plays", "users_28", "finished", "skipped", "liked", "pairs", "again", "city", "firsts"):
            if not np.array_equal(getattr(counts, name), getattr(changed, name)):
                raise GuardError(
                    f"perturbation: count {name} changes with what came after the cut-off {world}"
                )
        if (counts.gram != changed.gram).nnz or (counts.artist_gram != changed.artist_gram).nnz:
            raise GuardError(f"perturbation: what goes together changes with what came after, {world}")
