"""From silver tables to features, as one pure chain: what the stage does month by month, in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def sides_of(silver: Silver, plays: DataFrame, firsts: Firsts, months: Sequence[date]) -> Sides:
    """What events of `months` are joined with. `plays` as of `track_plays`, of all months before too."""
    vocabulary = genre_vocabulary(silver["users"])
    words = word_count(vocabulary)
    tracks = track_dimension(silver["tracks"], silver["artists"], silver["track_storage"], vocabulary, words)
    return Sides(
        tracks=tracks.join(prior_plays(plays, months), "track_id", "left"),
        users=user_dimension(silver["users"], vocabulary, words),
        firsts=firsts,
        words=words,
        months=tuple(months),
    )


def artist_of(silver: Silver) -> DataFrame:
    """Grain: track. Its artist."""
    tracks = silver["tracks"]
    return tracks.select(tracks["id"].alias("track_id"), tracks["id_artist"].alias("artist_id"))


def features_from_silver(
    silver: Silver,
    features: Sequence[Feature],
    months: Sequence[date],
    users: Sequence[int] | None = None,
) -> DataFrame:
    """Grain: user and month. The features of all free user-months among `months`, the first month on.

    `months` are consecutive and begin with the data's first. With `users` only those users' rows,
    while popularity still counts everyone's plays.
    """
    events = silver["events"].where(silver["events"]["event_month"].isin(list(months)))
    plays = track_plays(events)
    own = events if users is None else events.where(events["user_id"].isin(list(users)))
    free = filter_free(own, first_purchases(own))
    sides = sides_of(silver, plays, firsts_of(free, artist_of(silver)), months)
    return as_features(as_user_month(free, sides, measures_of(features)), features)
