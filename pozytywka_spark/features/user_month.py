"""The month's base table: every measure of the catalogue per user and month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.features.columns import zero
from pozytywka_spark.features.dimensions import TRACK_MASK, USER_MASK
from pozytywka_spark.features.entry import Feature, Level, Measure
from pozytywka_spark.features.firsts import Firsts
from pozytywka_spark.features.genres import mask_names, matching_genres
from pozytywka_spark.features.kinds import is_play
from pozytywka_spark.features.months import cut_off_of
from pozytywka_spark.features.popularity import prior_plays_at
from pozytywka_spark.features.sessions import with_neighbours

KEYS = ("user_id", "month")


@dataclass(frozen=True)
class Sides:
    """What events are joined with: a line per track, a line per user, the firsts.

    `words` is the number of words of the genre masks, `months` what `prior_plays` has elements for.
    """

    tracks: DataFrame
    users: DataFrame
    firsts: Firsts
    words: int
    months: Sequence[date]


def as_user_month(free: DataFrame, sides: Sides, measures: Sequence[Measure]) -> DataFrame:
    """Grain: user and month with a free event. A bigint per measure."""
    wanted = _levels(measures)
    events = attributed_events(free, sides).groupBy(*KEYS).agg(*_aggregates(measures, "event"))
    listened = genres_listened(free, sides).groupBy(*KEYS).agg(*_aggregates(measures, "genre"))
    joined = events.join(listened, list(KEYS), "left") if "genre" in wanted else events
    joined = joined.join(sides.firsts.users.drop("month"), "user_id", "left") if "user" in wanted else joined
    return joined.select(*KEYS, *(_stored(measure) for measure in measures))


def attributed_events(free: DataFrame, sides: Sides) -> DataFrame:
    """Free events with their neighbours' word and, on plays, the attributes of the track (else null).

    `favourite_matches` counts the artist's genres that are the user's favourites, `listened` the
    microseconds until the next event, at most the track's duration and never past the cut-off.
    """
    events = with_neighbours(free).withColumns(
        {
            "track_id": F.when(is_play(), F.col("track_id")),
            "until_cut_off": F.unix_micros(cut_off_of(F.col("month"))) - F.unix_micros("event_time"),
        }
    )
    joined = events.join(F.broadcast(sides.tracks), "track_id", "left").join(sides.users, "user_id", "left")
    duration = F.col("duration_ms") * 1000
    bounded = F.col("until_next").isNotNull() | duration.isNotNull()
    listened = F.when(is_play() & bounded, F.least(duration, F.col("until_next"), F.col("until_cut_off")))
    known = F.col("duration_ms").isNotNull()
    return joined.select(
        *(name for name in joined.columns if name not in (*_masks(sides), "prior_plays")),
        matching_genres(TRACK_MASK, USER_MASK, sides.words).cast("bigint").alias("favourite_matches"),
        F.when(known, prior_plays_at(F.col("month"), sides.months)).alias("prior_plays"),
        listened.alias("listened"),
    )


def genres_listened(free: DataFrame, sides: Sides) -> DataFrame:
    """Grain: user, month and genre (the first that the artist lists; null if none).

    `plays`, `tracks` (different ones), `liked_plays` (the user's first like at or before the play),
    `artists` and `new_artists` (never played by the user in an earlier month).
    """
    plays = free.where(is_play()).select("user_id", "month", "track_id", "event_time").repartition("user_id")
    likes = sides.firsts.likes.select("user_id", "track_id", "liked_at").repartition("user_id")
    by_track = (
        plays.join(likes.hint("shuffle_hash"), ["user_id", "track_id"], "left")
        .groupBy(*KEYS, "track_id")
        .agg(
            F.count(F.lit(1)).alias("plays"),
            F.count_if(F.col("liked_at") <= F.col("event_time")).alias("liked_plays"),
        )
    )
    by_artist = (
        by_track.join(F.broadcast(sides.tracks.select("track_id", "artist_id", "genre")), "track_id", "left")
        .groupBy(*KEYS, "artist_id", "genre")
        .agg(
            F.sum("plays").alias("plays"),
            F.sum("liked_plays").alias("liked_plays"),
            F.count("track_id").alias("tracks"),
        )
    )
    debuts = sides.firsts.artists.withColumnRenamed("month", "debut").repartition("user_id")
    return (
        by_artist.join(debuts.hint("shuffle_hash"), ["user_id", "artist_id"], "left")
        .groupBy(*KEYS, "genre")
        .agg(
            F.sum("plays").alias("plays"),
            F.sum("liked_plays").alias("liked_plays"),
            F.sum("tracks").alias("tracks"),
            F.count("artist_id").alias("artists"),
            F.count_if(F.col("debut") == F.col("month")).alias("new_artists"),
        )
    )


def as_features(user_month: DataFrame, features: Sequence[Feature]) -> DataFrame:
    """Grain: user and month. A double per feature, from the user's rows up to and with the month.

    `user_month` must hold the 11 months before those that are wanted.
    """
    return user_month.select(
        *KEYS, *(feature.expression().cast("double").alias(feature.name) for feature in features)
    )


def _levels(measures: Sequence[Measure]) -> set[Level]:
    return {measure.level for measure in measures}


def _aggregates(measures: Sequence[Measure], level: Level) -> list[Column]:
    chosen = [measure for measure in measures if measure.level == level]
    return [measure.aggregate().cast("bigint").alias(measure.name) for measure in chosen] or [
        F.count(F.lit(1)).alias("_rows")
    ]


def _stored(measure: Measure) -> Column:
    """The measure as a column of the joined levels; a user without plays has zeros at the genre level."""
    if measure.level == "user":
        return measure.aggregate().cast("bigint").alias(measure.name)
    column = F.col(measure.name)
    return F.coalesce(column, zero()).alias(measure.name) if measure.level == "genre" else column


def _masks(sides: Sides) -> list[str]:
    return [*mask_names(TRACK_MASK, sides.words), *mask_names(USER_MASK, sides.words)]
