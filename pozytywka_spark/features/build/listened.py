"""What users listened to in a month: the levels `popularity`, `genre` and `debut` of the measures.

Tracks and artists are numbers here. `row` is the place of the user's month in `UserMonths.keys`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.features.build.first_times import keys_of
from pozytywka_spark.features.build.month_numbers import month_numbers
from pozytywka_spark.features.build.sides import NONE, Sides
from pozytywka_spark.features.build.track_numbers import TrackNumbers
from pozytywka_spark.features.build.user_months import UserMonths

Whole = npt.NDArray[np.int64]


def plays_by_track(
    listened: pl.DataFrame, likes: pl.DataFrame, where: UserMonths, tracks: TrackNumbers
) -> pl.DataFrame:
    """Grain: user, month and track (or stray), in order of months, as LISTENED_ROWS is.

    `row`, `number` (NONE for a play that names no track), `artist` (NONE for none), `plays`, `liked_plays`:
    all plays of a track that the user liked in an earlier month, else those after the like of the month.
    """
    months = month_numbers(listened.get_column("month"))
    users, numbers = where.place_users(listened.get_column("user_id")), tracks.of(listened)
    artists = tracks.sides.artist_of[tracks.in_catalogue(numbers)]
    keys = pl.DataFrame({"key": keys_of(users, numbers, tracks.end)})
    first = keys.join(likes.select("key", "month"), on="key", how="left", maintain_order="left")
    liked_before = first.select(pl.col("month") < pl.Series(months)).to_series()
    return listened.select(
        pl.Series("row", where.place_rows(users, months)),
        pl.Series("number", numbers),
        pl.Series("artist", artists),
        "plays",
        liked_plays=pl.when(liked_before).then("plays").otherwise("liked_plays"),
    )


def popularity_level(by_track: pl.DataFrame, where: UserMonths, tracks: TrackNumbers) -> pl.DataFrame:
    """Grain: as `by_track`: `row`, `plays`, and `prior_plays` of the track by anyone in the months before.

    `prior_plays` is null for a track that isn't known, and 0 for one that nobody had played.
    """
    places = tracks.in_catalogue(by_track.get_column("number").to_numpy())
    months = where.months[by_track.get_column("row").to_numpy()]
    prior = np.zeros(len(places), np.int64)
    different = np.unique(where.months)
    for month, plays in zip(different, tracks.sides.prior_plays(different.tolist()), strict=True):
        mine = slice(*np.searchsorted(months, (month, month + 1)))
        prior[mine] = plays[places[mine]]
    known = pl.Series(tracks.sides.known[places])
    return by_track.select("row", "plays", prior_plays=pl.when(known).then(pl.Series(prior)))


def plays_by_artist(by_track: pl.DataFrame, sides: Sides) -> pl.DataFrame:
    """Grain: user, month and artist (NONE for none): `row`, `artist`, `plays`, `liked_plays`, `tracks`."""
    end = len(sides.artist_ids) + 1
    keyed = by_track.select(
        pl.Series("key", keys_of(by_track["row"].to_numpy(), by_track["artist"].to_numpy() - NONE, end)),
        "plays",
        "liked_plays",
        tracks=pl.col("number") != NONE,
    )
    summed = keyed.group_by("key").agg(pl.col("plays", "liked_plays", "tracks").sum())
    return summed.select(
        pl.col("plays", "liked_plays"),
        pl.col("tracks").cast(pl.Int64),
        row=pl.col("key") // end,
        artist=pl.col("key") % end + NONE,
    )


def genre_level(by_artist: pl.DataFrame, sides: Sides) -> pl.DataFrame:
    """Grain: user, month and genre (the first that the artist lists; null if none).

    `row`, `genre`, `plays`, `liked_plays`, `tracks` and `artists`, different ones.
    """
    genres = sides.genre_of[by_artist.get_column("artist").to_numpy()]
    return (
        by_artist.with_columns(genre=pl.Series(genres), artists=pl.col("artist") != NONE)
        .group_by("row", "genre")
        .agg(pl.col("plays", "liked_plays", "tracks", "artists").sum())
        .with_columns(pl.col("artists").cast(pl.Int64), genre=pl.when(pl.col("genre") != NONE).then("genre"))
    )
