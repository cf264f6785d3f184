"""From silver tables to features, as one pure chain: what the stage does month by month, in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame

from pozytywka_spark.features.activity import filter_free, first_purchases
from pozytywka_spark.features.catalogue import measures_of
from pozytywka_spark.features.dimensions import track_dimension, user_dimension
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


@contextmanager
def cached(*frames: DataFrame) -> Iterator[None]:
    """Keep small frames that several plans read, so that each plan is short and none is computed twice."""
    for frame in frames:
        frame.persist()
    try:
        yield
    finally:
        for frame in frames:
            frame.unpersist()


def sides_of(dimensions: Dimensions, plays: DataFrame, firsts: Firsts, months: Sequence[date]) -> Sides:
    """What events of `months` are joined with. `plays` as of `track_plays`, of all months before too."""
    return Sides(
        tracks=dimensions.tracks.join(prior_plays(plays, months), "track_id", "left"),
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
    own = own.where(own["event_month"].isin(list(months)))
    free = filter_free(own, first_purchases(own))
    plays = track_plays(everyones.where(everyones["event_month"].isin(list(months))))
    sides = sides_of(dimensions, plays, firsts_of(free, dimensions.tracks), months)
    return as_features(as_user_month(free, sides, measures_of(features)), features)
