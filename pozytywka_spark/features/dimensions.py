"""The small sides of the join: what is known of a track and of a user, in whole numbers."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from pozytywka_spark.features.columns import digits_of, fixed_point
from pozytywka_spark.features.genres import genre_masks, mask_names
from pozytywka_spark.schemas import AUDIO_FEATURES

SECONDS_A_DAY = 86_400
TRACK_MASK = "track_genres"
USER_MASK = "user_genres"
NUMBERED = {"track": "id", "artist": "artist_id", "genre": "genre"}
STORAGE_CLASSES = ("slow", "medium", "fast")


def track_dimension(
    tracks: DataFrame, artists: DataFrame, storage: DataFrame, vocabulary: DataFrame, words: int
) -> DataFrame:
    """Grain: track. Attributes that are averaged over plays, as whole numbers; null where unknown.

    `release_seconds` since 1970, `name_length` in characters, `explicit` 0 or 1, audio features and
    `daily_cost` in their fixed-point units, `slow`, `medium` and `fast` 0 or 1. A track has the
    genres of its artist, as a mask of the vocabulary; `genre` is the first that the artist lists.
    `track`, `artist` and `genre` are numbers in the order of identifiers and names, which cost a
    fraction of the text to sort, hash and move; `artist` is null if the track has none.
    """
    masks = genre_masks(artists, "id", "genres", vocabulary, TRACK_MASK, words)
    costs = storage.select(
        F.col("track_id").alias("id"),
        fixed_point(F.col("daily_cost"), digits_of("daily_cost")).alias("daily_cost"),
        *((F.col("storage_class") == name.upper()).cast("bigint").alias(name) for name in STORAGE_CLASSES),
    )
    first_genres = artists.select(F.col("id").alias("artist_id"), F.get("genres", F.lit(0)).alias("genre"))
    attributes = tracks.select(
        "id",
        F.col("id_artist").alias("artist_id"),
        F.col("popularity").cast("bigint").alias("popularity"),
        F.col("duration_ms").cast("bigint").alias("duration_ms"),
        F.col("explicit").cast("bigint").alias("explicit"),
        (F.unix_date("release_date").cast("bigint") * SECONDS_A_DAY).alias("release_seconds"),
        F.char_length("name").cast("bigint").alias("name_length"),
        *(fixed_point(F.col(name), digits_of(name)).alias(name) for name in AUDIO_FEATURES),
    )
    return (
        attributes.join(masks.withColumnRenamed("id", "artist_id"), "artist_id", "left")
        .join(first_genres, "artist_id", "left")
        .join(costs, "id", "left")
        # one partition each, for a catalogue and never for events
        .withColumns({name: _number(column) for name, column in NUMBERED.items()})
        .withColumnRenamed("id", "track_id")
    )


def _number(name: str) -> Column:
    """The place of the column's value among all its values; null stays null."""
    return F.when(F.col(name).isNotNull(), F.dense_rank().over(Window.orderBy(name)))


def user_dimension(users: DataFrame, vocabulary: DataFrame, words: int) -> DataFrame:
    """Grain: user with a favourite genre. `premium_user` stays out: it is the future."""
    masks = genre_masks(users, "user_id", "favourite_genres", vocabulary, USER_MASK, words)
    return masks.select("user_id", *mask_names(USER_MASK, words))
