"""From silver tables to features, as one pure chain: what the stage does month by month, in one go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame

from pozytywka_spark.features.activity import filter_free, first_purchases
from pozytywka_spark.features.catalogue import measures_of
from pozytywka_spark.features.dimensions import track_dimension, user_dimension
from pozytywka_spark.features.encoded import by_user, encode_events
from pozytywka_spark.features.entry import Feature
from pozytywka_spark.features.firsts import Firsts, firsts_of
from pozytywka_spark.features.genres import genre_vocabulary, word_count
from pozytywka_spark.features.popularity import prior_plays, track_plays
from pozytywka_spark.features.user_month import Sides, as_features, as_user_month

Silver = Mapping[str, DataFrame]


@dataclass(frozen=True)
class Dimensions:
    """What doesn't depend on events: a line per track, a line per user, the words of a genre mask."""

    tracks: DataFrame
    users: DataFrame
    words: int

    def map(self, change: Callable[[str, DataFrame], DataFrame]) -> Dimensions:
        """Each frame changed by `change(name, frame)`."""
        return Dimensions(change("tracks", self.tracks), change("users", self.users), self.words)


def dimensions_of(silver: Silver) -> Dimensions:
    """The dimensions of the catalogue tables."""
    vocabulary = genre_vocabulary(silver["users"])
    words = word_count(vocabulary)
    tracks = track_dimension(silver["tracks"], silver["artists"], silver["track_storage"], vocabulary, words)
    return Dimensions(tracks, user_dimension(silver["users"], vocabulary, words), words)


def sides_of(dimensions: Dimensions, popularity: DataFrame, firsts: Firsts, months: Sequence[date]) -> Sides:
    """What encoded events of `months` are joined with. `popularity` as of `prior_plays`."""
    return Sides(
        tracks=dimensions.tracks,
        popularity=popularity,
        users=dimensions.users,
        firsts=firsts,
        words=dimensions.words,
        months=tuple(months),
    )


def features_from_events(
    own: DataFrame,
    everyones: DataFrame,
    dimensions: Dimensions,
    features: Sequence[Feature],
    months: Sequence[date],
) -> DataFrame:
    """Grain: user and month. The features of the users with events in `own`, of all their free months.

    `months` are all that the events lie in, the data's first one included. `everyones` events count
    for the popularity of tracks only.
    """
    mine = own.where(own["event_month"].isin(list(months)))
    theirs = everyones.where(everyones["event_month"].isin(list(months)))
    encoded, plays, purchases = read_events(mine, theirs, dimensions.tracks)
    return features_from_encoded(encoded, prior_plays(plays, months), purchases, dimensions, features, months)


def read_events(own: DataFrame, everyones: DataFrame, tracks: DataFrame) -> tuple[DataFrame, ...]:
    """All that features read of events: `own` encoded and by user, `everyones` plays by track and month, and
    the first purchases among `own`."""
    return (
        by_user(encode_events(own, tracks)),
        track_plays(encode_events(everyones, tracks)),
        first_purchases(own),
    )


def features_from_encoded(
    own: DataFrame,
    popularity: DataFrame,
    purchases: DataFrame,
    dimensions: Dimensions,
    features: Sequence[Feature],
    months: Sequence[date],
) -> DataFrame:
    """As `features_from_events`, of encoded events that lie by user and the popularity of tracks."""
    free = filter_free(own, purchases)
    sides = sides_of(dimensions, popularity, firsts_of(free, dimensions.tracks), months)
    return as_features(as_user_month(free, sides, measures_of(features)), features)
