"""Integrity: which candidates may not stand on a page, each counted under the first rule that removes it.

unknown    a track that isn't in the catalogue, or without a known artist
blocked    on the block list
farmed     over half of its plays of the last 30 days by under 1% of accounts that each played it often
rejected   the user skipped each of their last two plays of it, within 180 days
same song  another candidate is by the same artist and of the same normalised name, and is played more
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pozytywka_spark.feed.pairs import Array, Pairs, TrackSide

PASSED, UNKNOWN, BLOCKED, FARMED, REJECTED, SAME_SONG = range(6)
RULES = {
    UNKNOWN: "unknown",
    BLOCKED: "blocked",
    FARMED: "farmed",
    REJECTED: "rejected",
    SAME_SONG: "same song",
}
FARMED_DAYS, REJECTED_DAYS, REJECTED_PLAYS = 30, 180, 2
FARMED_SHARE = 0.01  # of accounts
# Most tracks are played by a handful of people: with fewer plays each they are just little known
FARMED_PLAYS = 10


@dataclass(frozen=True)
class Barred:
    """Tracks that stand on nobody's page, a mask of the track side each."""

    unknown: Array  # without a known artist
    blocked: Array
    farmed: Array


def judge(pairs: Pairs, side: TrackSide, barred: Barred, rejected: Array) -> Array:
    """Of each entry the number of the rule that removes it (`RULES`), `PASSED` if none does.

    `rejected`: mask of the entries. An entry whose track is -1 is unknown.
    """
    verdict = np.zeros(len(pairs), np.uint8)
    if not len(side):
        verdict[:] = UNKNOWN
        return verdict
    tracks = np.maximum(pairs.track, 0)
    # the first rule is set last
    verdict[rejected] = REJECTED
    verdict[barred.farmed[tracks]] = FARMED
    verdict[barred.blocked[tracks]] = BLOCKED
    verdict[(pairs.track < 0) | barred.unknown[tracks]] = UNKNOWN
    verdict[_same_song(pairs, side, verdict == PASSED)] = SAME_SONG
    return verdict


def _same_song(pairs: Pairs, side: TrackSide, passed: Array) -> Array:
    """Entries beside a more played one of the same song; of equally played ones the first track stays."""
    several = np.bincount(side.song, minlength=1)[side.song] > 1
    entries = np.flatnonzero(passed)
    entries = entries[several[pairs.track[entries]]]
    track = pairs.track[entries]
    user, song = np.searchsorted(pairs.start, entries, side="right"), side.song[track]
    order = np.lexsort((track, -side.plays[track], song, user))
    user, song = user[order], song[order]
    again = np.zeros(len(order), bool)
    again[1:] = (user[1:] == user[:-1]) & (song[1:] == song[:-1])
    found: Array = entries[order[again]]
    return found


def rejected(user: Array, track: Array, time_us: Array, skipped: Array, since_us: int) -> tuple[Array, Array]:
    """Users and tracks they rejected, sorted, from arrays of plays before the cut-off, an entry a play.

    `since_us`: 180 days before the cut-off. Of plays of one microsecond the skipped one counts as the later,
    so that the order of entries doesn't matter.
    """
    late = time_us >= since_us
    user, track, time_us, skipped = user[late], track[late], time_us[late], skipped[late]
    order = np.lexsort((skipped, time_us, track, user))
    user, track, skipped = user[order], track[order], skipped[order].astype(bool)
    same = np.zeros(len(order), bool)  # as the play before it
    same[1:] = (user[1:] == user[:-1]) & (track[1:] == track[:-1])
    is_last = np.append(~same[1:], [True])[: len(order)]
    before = np.append([False], skipped[:-1])[: len(order)]
    found = is_last & same & skipped & before
    return user[found], track[found]


def play_counts(plays: pl.DataFrame) -> pl.DataFrame:
    """Grain: track and number of plays; `accounts` that played it so often. Those of shards add up.

    `plays`: grain play of the last 30 days; `user_id`, `track_id`. Never a row a pair leaves its shard.
    """
    return (
        plays.group_by("track_id", "user_id")
        .agg(pl.len().alias("plays"))
        .group_by("track_id", "plays")
        .agg(pl.len().alias("accounts"))
        .sort("track_id", "plays")
    )


def farmed(
    counts: pl.DataFrame, accounts: int, share: float = FARMED_SHARE, at_least: int = FARMED_PLAYS
) -> list[str]:
    """Tracks of which the fewest accounts that have over half of the plays are under `share` of all
    `accounts` and played it `at_least` times each on average; sorted.

    `counts`: of `play_counts`, of one or more shards.
    """
    ordered = (
        counts.group_by("track_id", "plays")
        .agg(pl.col("accounts").sum().cast(pl.Int64))
        .sort("track_id", "plays", descending=[False, True])
        .with_columns(total=(pl.col("plays").cast(pl.Int64) * pl.col("accounts")))
        .with_columns(
            before=(pl.col("total").cum_sum() - pl.col("total")).over("track_id"),
            people=(pl.col("accounts").cum_sum() - pl.col("accounts")).over("track_id"),
            all=pl.col("total").sum().over("track_id"),
        )
    )
    # of those that played it equally often, as many as bring the plays over half
    more = (pl.col("all") // 2 + 1 - pl.col("before") + pl.col("plays") - 1) // pl.col("plays")
    reached = ordered.with_columns(more=more.cast(pl.Int64)).filter(
        (pl.col("before") * 2 <= pl.col("all")) & (pl.col("more") <= pl.col("accounts"))
    )
    heavy = reached.with_columns(
        few=pl.col("people") + pl.col("more"), theirs=pl.col("before") + pl.col("more") * pl.col("plays")
    )
    suspicious = (pl.col("few") < share * accounts) & (pl.col("theirs") >= at_least * pl.col("few"))
    return heavy.filter(suspicious).get_column("track_id").sort().to_list()
