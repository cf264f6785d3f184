"""Genre sets as bit masks: matching a play's genres with a user's favourites costs one `and`."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

WORD = 64


def genre_vocabulary(users: DataFrame) -> DataFrame:
    """Each genre that is someone's favourite, with a `position` from 0 in alphabetic order.

    Only favourites can match, and they are few (50 of 3,912 genres in the real deliveries).
    """
    genres = users.select(F.explode("favourite_genres").alias("genre")).where("genre is not null").distinct()
    # one partition, for a vocabulary and never for data
    return genres.select("genre", (F.row_number().over(Window.orderBy("genre")) - 1).alias("position"))


def word_count(vocabulary: DataFrame) -> int:
    """How many 64-bit words a mask over the vocabulary needs; at least one."""
    return max(1, -(-vocabulary.count() // WORD))


def mask_names(prefix: str, words: int) -> list[str]:
    """Names of a mask's columns."""
    return [f"{prefix}_{word}" for word in range(words)]


def genre_masks(
    owners: DataFrame, key: str, genres: str, vocabulary: DataFrame, prefix: str, words: int
) -> DataFrame:
    """Per `key` with at least one genre of the vocabulary: its genres as `words` bigint columns."""
    exploded = owners.select(key, F.explode(genres).alias("genre")).join(
        F.broadcast(vocabulary), "genre", "inner"
    )
    position = F.col("position")
    # F.shiftleft takes a Python int only
    bit = F.call_function("shiftleft", F.lit(1).cast("bigint"), (position % WORD).cast("int"))
    return exploded.groupBy(key).agg(
        *(
            F.bit_or(F.when(F.floor(position / WORD) == word, bit).otherwise(F.lit(0).cast("bigint"))).alias(
                name
            )
            for word, name in enumerate(mask_names(prefix, words))
        )
    )


def matching_genres(first: str, second: str, words: int) -> Column:
    """How many genres two masks share; an absent mask shares none."""
    matches = F.lit(0)
    for one, other in zip(mask_names(first, words), mask_names(second, words), strict=True):
        matches = matches + F.coalesce(F.bit_count(F.col(one).bitwiseAND(F.col(other))), F.lit(0))
    return matches
