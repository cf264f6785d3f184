"""The month's base table: every measure of the catalogue per user and month."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.features.columns import zero
from pozytywka_spark.features.dimensions import TRACK_MASK, USER_MASK
from pozytywka_spark.features.encoded import TRACK, by_user, has_track
from pozytywka_spark.features.entry import Feature, Level, Measure, sum_name
from pozytywka_spark.features.firsts import Firsts
from pozytywka_spark.features.genres import mask_names, matching_genres
from pozytywka_spark.features.kinds import is_like, is_play
from pozytywka_spark.features.months import cut_off_micros, trailing
from pozytywka_spark.features.popularity import prior_plays_at
from pozytywka_spark.features.sessions import session_spans, with_neighbours

KEYS = ("user_id", "month")
EVENT_LEVELS: tuple[Level, ...] = ("event", "popularity")


@dataclass(frozen=True)
class Sides:
    """What events are joined with: a line per track, a line per user, the firsts.

    `popularity` has a line per track, with an element of `prior_plays` for each of `months`; `words`
    is the number of words of the genre masks.
    """

    tracks: DataFrame
    popularity: DataFrame
    users: DataFrame
    firsts: Firsts
    words: int
    months: Sequence[date]


def as_user_month(free: DataFrame, sides: Sides, measures: Sequence[Measure]) -> DataFrame:
    """Grain: user and month with a free event. A bigint per measure.

    `free` are encoded events. Each level is aggregated by itself, and only if a measure asks for it; if the
    events lie by user, nothing of all this moves a row.
    """
    sources: dict[Level, Callable[[], DataFrame]] = {
        "gap": lambda: timed_events(free, sides),
        "session": lambda: session_spans(free),
        "genre": lambda: genres_listened(free, sides),
        "debut": lambda: sides.firsts.artists,
    }
    popular = any(measure.level == "popularity" for measure in measures)
    attributed = attributed_events(free, sides, popular=popular)
    joined = attributed.groupBy(*KEYS).agg(*_aggregates(measures, *EVENT_LEVELS))
    for level, source in sources.items():
        wanted = _aggregates(measures, level)
        if wanted:
            joined = joined.join(source().groupBy(*KEYS).agg(*wanted), list(KEYS), "left")
    if any(measure.level == "user" for measure in measures):
        joined = joined.join(sides.firsts.users.drop("month"), "user_id", "left")
    return joined.select(*KEYS, *(_stored(measure) for measure in measures))


def attributed_events(free: DataFrame, sides: Sides, *, popular: bool) -> DataFrame:
    """Free events, plays among them with the attributes of the track (on all others null).

    `favourite_matches` counts the artist's genres that are the user's favourites; `prior_plays` is
    there if `popular`.
    """
    tracks = sides.tracks.join(sides.popularity, "track", "left") if popular else sides.tracks
    events = free.withColumn("track", F.when(is_play(), F.col("track")))
    joined = events.join(F.broadcast(tracks), "track", "left").join(
        F.broadcast(sides.users), "user_id", "left"
    )
    known = F.col("duration_ms").isNotNull()
    prior = F.when(known, prior_plays_at(F.col("month"), sides.months)).alias("prior_plays")
    return joined.select(
        *(name for name in joined.columns if name not in (*_masks(sides), "prior_plays")),
        matching_genres(TRACK_MASK, USER_MASK, sides.words).cast("bigint").alias("favourite_matches"),
        *([prior] if popular else []),
    )


def timed_events(free: DataFrame, sides: Sides) -> DataFrame:
    """Free events but likes, with their neighbours' word and, on plays, `duration_ms` and `listened`.

    `listened` counts the microseconds until the next event, at most the track's duration and never
    past the cut-off.
    """
    tracks = sides.tracks.select("track", "duration_ms")
    events = free.where(~is_like()).select(
        "user_id", "month", "session_id", F.unix_micros("event_time").alias("at"), "kind",
        F.when(is_play(), F.col("track")).alias("track"),
    )  # fmt: skip
    placed = with_neighbours(events.join(F.broadcast(tracks), "track", "left"))
    duration = F.col("duration_ms") * 1000
    until_cut_off = cut_off_micros(F.col("month")) - F.col("at")
    bounded = F.col("until_next").isNotNull() | duration.isNotNull()
    listened = F.when(is_play() & bounded, F.least(duration, F.col("until_next"), until_cut_off))
    return placed.withColumn("listened", listened)


def genres_listened(free: DataFrame, sides: Sides) -> DataFrame:
    """Grain: user, month and genre (the first that the artist lists; null if none).

    `plays`, `tracks` (different ones), `liked_plays` (the user's first like at or before the play)
    and `artists`.
    """
    plays = free.where(is_play()).select(*KEYS, *TRACK, "event_time")
    likes = by_user(sides.firsts.likes).select(
        "liked_at", *(F.col(name).alias(f"liking_{name}") for name in ("user_id", *TRACK))
    )
    same = F.col("user_id") == F.col("liking_user_id")
    for name in TRACK:  # one of the two is null
        same = same & F.col(name).eqNullSafe(F.col(f"liking_{name}"))
    by_track = (
        plays.join(likes.hint("shuffle_hash"), same, "left")
        .groupBy(*KEYS, *TRACK)
        .agg(
            F.count(F.lit(1)).alias("plays"),
            F.count_if(F.col("liked_at") <= F.col("event_time")).alias("liked_plays"),
        )
    )
    by_artist = (
        by_track.join(F.broadcast(sides.tracks.select("track", "artist", "genre")), "track", "left")
        .groupBy(*KEYS, "artist", "genre")
        .agg(
            F.sum("plays").alias("plays"),
            F.sum("liked_plays").alias("liked_plays"),
            F.count_if(has_track()).alias("tracks"),
        )
    )
    return by_artist.groupBy(*KEYS, "genre").agg(
        F.sum("plays").alias("plays"),
        F.sum("liked_plays").alias("liked_plays"),
        F.sum("tracks").alias("tracks"),
        F.count("artist").alias("artists"),
    )


def as_features(user_month: DataFrame, features: Sequence[Feature]) -> DataFrame:
    """Grain: user and month. A double per feature, from the user's rows up to and with the month.

    `user_month` must hold the 11 months before those that are wanted. Every sum over months is made once,
    however many features share it: windows are what this step costs.
    """
    spans = {
        (measure.name, feature.months): None
        for feature in features
        for measure in feature.measures
        if feature.months > 1
    }
    sums = [F.sum(name).over(trailing(months)).alias(sum_name(name, months)) for name, months in spans]
    return user_month.select("*", *sums).select(
        *KEYS, *(feature.expression().cast("double").alias(feature.name) for feature in features)
    )


def _aggregates(measures: Sequence[Measure], *levels: Level) -> list[Column]:
    """The measures of the levels; the event level, which makes the rows, is never without one."""
    chosen = [measure for measure in measures if measure.level in levels]
    columns = [measure.aggregate().cast("bigint").alias(measure.name) for measure in chosen]
    return columns or ([F.count(F.lit(1)).alias("_rows")] if "event" in levels else [])


def _stored(measure: Measure) -> Column:
    """The measure as a column of the joined levels; a user-month that a level doesn't know has zero there."""
    if measure.level == "user":
        return measure.aggregate().cast("bigint").alias(measure.name)
    column = F.col(measure.name)
    return column if measure.level in EVENT_LEVELS else F.coalesce(column, zero()).alias(measure.name)


def _masks(sides: Sides) -> list[str]:
    return [*mask_names(TRACK_MASK, sides.words), *mask_names(USER_MASK, sides.words)]
