"""A batch of users' rankings beside what they did after the cut-off: sums that add up over batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from pozytywka_spark.feed.evaluation.metrics import Gains, ndcg, new_artists, recall, without_played
from pozytywka_spark.feed.listening import Listening
from pozytywka_spark.feed.outcomes import Outcomes
from pozytywka_spark.feed.pairs import Array

PLACES = (10, 50)
ALL, NEWCOMERS, LIGHT, HEAVY = "all", "newcomers", "light", "heavy"
HEAVY_PLAYS = 50  # before the cut-off, from which on a user is heavy
COVERAGE = "coverage_50"
_LEVEL = 0.95

Key = tuple[str, str, str]  # ranking, metric, slice


@dataclass(frozen=True)
class Sums:
    """Of one number over users."""

    users: int
    total: float
    squares: float

    @classmethod
    def of(cls, values: Array) -> Sums:
        """Of those users who have the number."""
        there = values[~np.isnan(values)]
        return cls(len(there), float(there.sum()), float((there**2).sum()))

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.users + other.users, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> float:
        """Over users; NaN without any."""
        return self.total / self.users if self.users else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """95%, over users: Student's t."""
        if self.users < 2:
            return self.mean, self.mean
        variance = max(0.0, self.squares - self.users * self.mean**2) / (self.users - 1)
        reach = float(stats.t.ppf(0.5 + _LEVEL / 2, self.users - 1)) * float(np.sqrt(variance / self.users))
        return self.mean - reach, self.mean + reach


@dataclass(frozen=True)
class Tally:
    """Sums by ranking, metric and slice, and which tracks each ranking showed in its first 50 places."""

    sums: Mapping[Key, Sums] = field(default_factory=dict)
    shown: Mapping[str, Array] = field(default_factory=dict)

    def __add__(self, other: Tally) -> Tally:
        sums, shown = dict(self.sums), dict(self.shown)
        for key, value in other.sums.items():
            sums[key] = sums[key] + value if key in sums else value
        for name, tracks in other.shown.items():
            shown[name] = shown[name] | tracks if name in shown else tracks
        return Tally(sums, shown)

    def rows(self, offered: int) -> Iterator[tuple[str, str, str, float, float, float, int]]:
        """Ranking, metric, slice, value, low, high, users; coverage is the share of `offered` tracks."""
        for (ranking, metric, part), value in sorted(self.sums.items()):
            yield ranking, metric, part, value.mean, *value.interval, value.users
        for ranking, tracks in sorted(self.shown.items()):
            share = float(tracks.sum()) / max(1, offered)
            yield ranking, COVERAGE, ALL, share, share, share, 0


@dataclass(frozen=True)
class Judged:
    """What a batch of users did: before the cut-off, and in the days after it."""

    users: int
    artist: Array  # of each track
    past: Listening  # before the cut-off
    outcomes: Outcomes
    weights: Array  # of the heads in the worth
    released: Array  # bool, of each track: out before the cut-off; no ranking is asked for any other

    @property
    def played(self) -> Array:
        """Keys (user · tracks + track, sorted) of what was played before."""
        return np.unique(self.past.play_user.astype(np.int64) * len(self.artist) + self.past.play_track)

    def gains(self) -> dict[str, Gains]:
        """Of plays (1 for what was played) and of worth (max(0, Σ weight · done))."""
        done, size = self.outcomes, len(self.artist)
        there = self.released[done.track]
        worth = np.maximum(0.0, done.done @ self.weights) * there
        by_kind = {"plays": ((done.plays > 0) & there) * 1.0, "worth": worth}
        return {
            kind: Gains.of(self.users, size, done.user, done.track, gain) for kind, gain in by_kind.items()
        }

    def slices(self) -> dict[str, Array]:
        """Which users belong to each."""
        plays = np.bincount(self.past.play_user, minlength=self.users)
        return {
            ALL: np.ones(self.users, dtype=bool),
            NEWCOMERS: plays == 0,
            LIGHT: (plays > 0) & (plays < HEAVY_PLAYS),
            HEAVY: plays >= HEAVY_PLAYS,
        }


def judge(
    judged: Judged,
    rankings: Mapping[str, Array],
    novel: Mapping[str, Array] | None = None,
    among: Array | None = None,
) -> Tally:
    """Every metric of every ranking (users × places), of the users `among` (bool; none: all).

    `novel`: the same rankings of tracks that the user hadn't played; those missing are what is left of the
    whole ranking.
    """
    played, size = judged.played, len(judged.artist)
    gains = judged.gains()
    new_gains = {kind: each.without(played) for kind, each in gains.items()}
    asked = np.ones(judged.users, dtype=bool) if among is None else among
    slices = {part: users & asked for part, users in judged.slices().items()}
    result: dict[Key, Sums] = {}
    shown: dict[str, Array] = {}
    for name, ranking in rankings.items():
        new = (novel or {}).get(name)
        new = without_played(ranking, size, played) if new is None else new
        values = {**_values(ranking, gains, ""), **_values(new, new_gains, "novel_")}
        values["new_artists_10"] = new_artists(
            ranking, judged.artist, judged.past.play_user, judged.past.play_track, 10
        )
        for metric, value in values.items():
            for part, users in slices.items():
                result[(name, metric, part)] = Sums.of(value[users])
        shown[name] = np.isin(np.arange(size), ranking[asked, : PLACES[-1]])
    return Tally(result, shown)


def _values(ranking: Array, gains: Mapping[str, Gains], scope: str) -> dict[str, Array]:
    values = {
        f"{scope}{kind}_ndcg_{places}": ndcg(ranking, each, places)
        for kind, each in gains.items()
        for places in PLACES
    }
    values[f"{scope}recall_{PLACES[-1]}"] = recall(ranking, gains["plays"], PLACES[-1])
    return values


def added(tallies: Sequence[Tally]) -> Tally:
    """All of them together."""
    return sum(tallies, Tally())
