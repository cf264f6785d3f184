"""The small sides of the join: what is known of a track and of a user, in whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from pozytywka_spark.features.build.contents import READ
from pozytywka_spark.features.declared.arithmetic import digits_of, fixed_point
from pozytywka_spark.names import AUDIO_FEATURES, STORAGE_CLASSES

TRACK_MASK, USER_MASK = "track_genres", "user_genres"
WORD = 64  # genres in a word of a mask
_SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class Dimensions:
    """`tracks` as of `track_dimension`, `users` as of `user_dimension`, both of one vocabulary."""

    tracks: pl.DataFrame
    users: pl.DataFrame

    @cached_property
    def largest(self) -> dict[str, int]:
        """Of each attribute of tracks, how far from 0 it gets: no event's is further."""
        numbers = self.tracks.select(pl.col(pl.Int64))
        bounds = zip(numbers.columns, numbers.min().row(0), numbers.max().row(0), strict=True)
        return {name: 0 if low is None else max(-low, high) for name, low, high in bounds}

    @cached_property
    def track_at(self) -> pl.Series:
        """The track of each place."""
        return self.tracks.get_column("place").arg_sort()

    @property
    def words(self) -> int:
        """How many words a genre mask has."""
        return sum(name.startswith(USER_MASK) for name in self.users.columns)


def vocabulary_of(users: pl.DataFrame) -> list[str]:
    """Each genre that is someone's favourite, in alphabetic order.

    Only favourites can match, and they are few (50 of 3,912 genres in the real deliveries).
    """
    genres = users.get_column("favourite_genres").explode().drop_nulls().unique()
    return genres.cast(pl.String).sort().to_list()


def track_dimension(
    tracks: pl.DataFrame, artists: pl.DataFrame, storage: pl.DataFrame, vocabulary: Sequence[str]
) -> pl.DataFrame:
    """Grain: track with an id, in the order of ids. Attributes that are averaged over plays; null if unknown.

    Columns: `track_id`, `artist_id`; `track` (the place of the id among all, and so of the row), `artist` and
    `genre` (the first that the artist lists), UInt32 in the order of ids and names; `place`, UInt32, by genre
    (none first), artist (none last) and id, the order in which plays are added up; Int64 attributes:
    `popularity`, `duration_ms`, `explicit` (0 or 1), `release_seconds` since 1970, `name_length` in
    characters, audio features and `daily_cost` in their fixed-point units, `slow`, `medium`, `fast` (0 or 1).
    A track has the genres of its artist: `track_genres_0` and on are 64-bit words, a bit a genre of the
    vocabulary, 0 where there is none. Raises `polars` errors for real numbers that don't fit 64 bits.
    """
    attributes = tracks.filter(pl.col("id").is_not_null()).select(
        pl.col("id").alias("track_id"),
        pl.col("id_artist").alias("artist_id"),
        pl.col("popularity", "duration_ms", "explicit").cast(pl.Int64),
        (pl.col("release_date").cast(pl.Int32).cast(pl.Int64) * _SECONDS_A_DAY).alias("release_seconds"),
        pl.col("name").str.len_chars().cast(pl.Int64).alias("name_length"),
        *(fixed_point(pl.col(name), digits_of(name)) for name in AUDIO_FEATURES),
    )
    costs = storage.select(
        "track_id",
        fixed_point(pl.col("daily_cost"), digits_of("daily_cost")).alias("daily_cost"),
        *((pl.col("storage_class") == name).cast(pl.Int64).alias(name.lower()) for name in STORAGE_CLASSES),
    )
    of_artists = _artists(attributes.get_column("artist_id"), artists, vocabulary)
    joined = (
        attributes.sort("track_id")
        .join(of_artists, "artist_id", how="left", maintain_order="left")
        .join(costs, "track_id", how="left", maintain_order="left")
    )
    masks = mask_names(TRACK_MASK, vocabulary)
    return joined.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("track"),
        _places().alias("place"),
        "artist",
        "genre",
        pl.exclude("artist", "genre", *masks),
        pl.col(masks).fill_null(0),
    )


def _places() -> pl.Expr:
    """The place of each track, of rows in order of ids, by genre (none first), artist (none last) and id."""
    in_order = pl.arg_sort_by("genre", "artist", nulls_last=[False, True], maintain_order=True)
    return in_order.arg_sort().cast(pl.UInt32)


def _artists(ids: pl.Series, artists: pl.DataFrame, vocabulary: Sequence[str]) -> pl.DataFrame:
    """Grain: artist of a track. `artist_id`, `artist`, `genre` and masks: texts are sorted once."""
    known = artists.select(
        pl.col("id").alias("artist_id"),
        pl.col("genres").list.get(0, null_on_oob=True).alias("first_genre"),
        *genre_masks("genres", vocabulary, TRACK_MASK),
    )
    different = ids.drop_nulls().unique().sort().to_frame("artist_id")
    joined = different.join(known, "artist_id", how="left", maintain_order="left")
    genre = (pl.col("first_genre").rank("dense") - 1).cast(pl.UInt32).alias("genre")
    number = pl.int_range(pl.len(), dtype=pl.UInt32).alias("artist")
    return joined.select("artist_id", number, genre, pl.exclude("artist_id", "first_genre"))


def user_dimension(users: pl.DataFrame, vocabulary: Sequence[str]) -> pl.DataFrame:
    """Grain: user with a favourite genre, in the order of users. `user_id`, masks `user_genres_0` and on.

    `premium_user` stays out: it is the future.
    """
    fond = users.filter(
        pl.col("user_id").is_not_null() & pl.col("favourite_genres").list.drop_nulls().list.len().gt(0)
    )
    return fond.sort("user_id").select("user_id", *genre_masks("favourite_genres", vocabulary, USER_MASK))


def mask_names(prefix: str, vocabulary: Sequence[str]) -> list[str]:
    """Names of a mask's columns; at least one."""
    return [f"{prefix}_{word}" for word in range(max(1, -(-len(vocabulary) // WORD)))]


def genre_masks(genres: str, vocabulary: Sequence[str], prefix: str) -> list[pl.Expr]:
    """The words of a mask: the bit `place % 64` of word `place // 64` is set for each genre of the list."""
    bits = [1 << place % WORD for place in range(len(vocabulary))]
    masks = []
    for word, name in enumerate(mask_names(prefix, vocabulary)):
        of_word = slice(word * WORD, (word + 1) * WORD)
        bit = pl.element().replace_strict(
            pl.Series(vocabulary[of_word], dtype=pl.String),
            pl.Series(bits[of_word], dtype=pl.UInt64),
            default=0,
            return_dtype=pl.UInt64,
        )
        # a genre that is listed twice is one: different bits add up to what `or` gives
        masks.append(pl.col(genres).list.unique().list.eval(bit).list.sum().fill_null(0).alias(name))
    return masks


def no_tracks() -> pl.DataFrame:
    """The columns of `track_dimension`, without a row."""
    tracks, artists, storage = (
        pl.DataFrame(schema=READ[name]) for name in ("tracks", "artists", "track_storage")
    )
    return track_dimension(tracks, artists, storage, [])


def no_users() -> pl.DataFrame:
    """The columns of `user_dimension`, without a row."""
    return user_dimension(pl.DataFrame(schema=READ["users"]), [])
