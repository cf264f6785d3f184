"""The feed's ranker trained and asked in memory, as its stages do: for benches."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pozytywka_spark.config.feed import Feed
from pozytywka_spark.feed import light
from pozytywka_spark.feed.about import About, about, batches
from pozytywka_spark.feed.heads.examples import examples_of, together
from pozytywka_spark.feed.heads.features import NAMES, features_of
from pozytywka_spark.feed.heads.fit import How, fit_heads
from pozytywka_spark.feed.heads.model import Heads
from pozytywka_spark.feed.inventory.collect import Wanted, collect
from pozytywka_spark.feed.inventory.sources import lists_of
from pozytywka_spark.feed.listening import DAY_US, Listeners
from pozytywka_spark.feed.pairs import Pairs
from pozytywka_spark.feed.track_side import Catalogue, Tracks, counts_of, tracks_of
from pozytywka_spark.feed.value import value_of

SETTINGS = Feed()


@dataclass(frozen=True)
class Ranker:
    """What a training makes."""

    heads: Heads
    light: light.Light


@dataclass(frozen=True)
class Scored:
    """Candidates of all users with what each stage says of them; `features`: features × pairs."""

    pairs: Pairs
    light: np.ndarray
    chances: np.ndarray
    value: np.ndarray
    features: np.ndarray

    def dense(self, score: np.ndarray, tracks: int) -> np.ndarray:
        """Users × tracks, -inf for what isn't a candidate."""
        table = np.full((len(self.pairs.user_id), tracks), -np.inf)
        table[self.pairs.user, self.pairs.track] = score
        return table


def side_of(listeners: Listeners, catalogue: Catalogue, at_us: int) -> Tracks:
    """As of a cut-off."""
    counts = counts_of(listeners, catalogue, at_us)
    return tracks_of(catalogue, counts, at_us, ridge=SETTINGS.ridge, most_tracks=SETTINGS.linear_tracks)


def trained(
    listeners: Listeners,
    catalogue: Catalogue,
    at_us: int,
    weights: dict[str, float],
    *,
    wanted: Wanted,
    horizon_days: int = 28,
    cut_offs: int = 2,
    how: How | None = None,
) -> Ranker:
    """On events before `at_us`, as of so many cut-offs: the last that is over, and each 28 days earlier."""
    parts = []
    for number in range(cut_offs):
        cut_off = at_us - (horizon_days + 28 * number) * DAY_US
        part = examples_of(
            listeners.before(at_us),
            side_of(listeners, catalogue, cut_off),
            wanted,
            negatives=0.1,
            horizon_days=horizon_days,
            at_us=at_us,
        )
        parts.append(replace(part, user=part.user + number * len(listeners)))
    examples = together(parts)
    heads = fit_heads(examples, how or How(SETTINGS.rounds))
    whole = examples.whole
    features = examples.features[:, whole]
    value = value_of(heads.chances(features), weights)
    terms = light.terms_of(features[[NAMES.index(name) for name in light.NAMES]])
    return Ranker(heads, light.distilled(terms, value, examples.user[whole]))


def scored(
    ranker: Ranker, listeners: Listeners, tracks: Tracks, weights: dict[str, float], wanted: Wanted
) -> Scored:
    """All candidates of all users, in full."""
    lists, parts = lists_of(tracks, wanted.candidates), []
    for some in batches(listeners, len(tracks.side)):
        known: About = about(some, tracks)
        pairs = collect(known, tracks, lists, wanted)
        features = features_of(pairs, known, tracks)
        chances = ranker.heads.chances(features)
        parts.append(
            Scored(
                pairs,
                ranker.light.scores(pairs, known, tracks),
                chances,
                value_of(chances, weights),
                features,
            )
        )
    lengths = np.concatenate([np.diff(part.pairs.start) for part in parts])
    return Scored(
        Pairs(
            np.concatenate([part.pairs.user_id for part in parts]),
            np.concatenate([[0], np.cumsum(lengths)]),
            np.concatenate([part.pairs.track for part in parts]),
            np.concatenate([part.pairs.sources for part in parts]),
        ),
        np.concatenate([part.light for part in parts]),
        np.concatenate([part.chances for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.features for part in parts], axis=1),
    )
