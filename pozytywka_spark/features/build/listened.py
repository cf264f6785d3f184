"""Measures of what users listened to in a month: the levels `popularity`, `genre` and `debut`.

Tracks and artists are numbers here. `row` is the place of the user's month in `UserMonths.keys`. Rows are
brought into one order, by row, genre and artist, in which all that is added up lies side by side.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.features.build.first_times import keys_of
from pozytywka_spark.features.build.lookups import NONE, Lookups
from pozytywka_spark.features.build.track_numbers import TrackNumbers
from pozytywka_spark.features.build.user_months import UserMonths

Whole = npt.NDArray[np.int64]


def plays_by_track(
    listened: pl.DataFrame, likes: pl.DataFrame, where: UserMonths, tracks: TrackNumbers
) -> pl.DataFrame:
    """Grain: user, month and track (or stray), as `listened` (LISTENED_ROWS); in order of row, genre, artist.

    `row`, `number` (NONE for a play that names no track), `artist` (NONE for none), `plays`, `liked_plays`:
    all plays of a track that the user liked in an earlier month, else those after the like of the month.
    """
    sides = tracks.sides
    rows, numbers = where.rows_of(listened), tracks.of(listened)
    # no track is no key: its number would make the key of another user's last track
    keys = np.where(numbers == NONE, NONE, keys_of(where.user_of[rows], numbers, tracks.end))
    liked_before = pl.Series(_are_liked_before(keys, where.months[rows], likes))

    artists = sides.artist_of[tracks.in_catalogue(numbers)]
    # each month's rows lie in this order, but for strays, and a stable sort is quick to see that
    order = np.argsort(keys_of(rows, sides.place_of[artists], len(sides.place_of)), kind="stable")
    return listened.select(
        pl.Series("row", rows),
        pl.Series("number", numbers),
        pl.Series("artist", artists),
        "plays",
        liked_plays=pl.when(liked_before).then("plays").otherwise("liked_plays"),
    )[order].with_columns(pl.col("row").set_sorted())


def _are_liked_before(keys: Whole, months: Whole, likes: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether the first like of each key, of `likes` in order of keys, came in an earlier month."""
    liked = likes.get_column("key").to_numpy()
    if not liked.size:
        return np.zeros(len(keys), np.bool_)
    places = np.minimum(np.searchsorted(liked, keys), len(liked) - 1)
    before: npt.NDArray[np.bool_] = likes.get_column("month").to_numpy()[places] < months
    before &= liked[places] == keys
    return before


def popularity_level(by_track: pl.DataFrame, where: UserMonths, tracks: TrackNumbers) -> pl.DataFrame:
    """Grain and order: as `by_track`. `row`, `plays`, `prior_plays` of the track by anyone in earlier months.

    `prior_plays` is null for a track that isn't known, and 0 for one that nobody had played.
    """
    places = tracks.in_catalogue(by_track.get_column("number").to_numpy())
    months = where.months[by_track.get_column("row").to_numpy()]
    prior = np.zeros(len(places), np.int64)
    different = np.unique(where.months)
    for month, plays in zip(different, tracks.sides.prior_plays(different.tolist()), strict=True):
        mine = slice(*np.searchsorted(months, (month, month + 1)))
        prior[mine] = plays[places[mine]]
    has_duration = pl.Series(tracks.sides.known[places])
    return by_track.select("row", "plays", prior_plays=pl.when(has_duration).then(pl.Series(prior)))


def plays_by_artist(by_track: pl.DataFrame) -> pl.DataFrame:
    """Grain: user, month and artist (NONE for none), in order of row, genre and artist.

    `row`, `artist`, `plays`, `liked_plays` and `tracks`, different ones.
    """
    counted = by_track.with_columns(tracks=(pl.col("number") != NONE).cast(pl.Int64))
    return _side_by_side(counted, ["row", "artist"], ["plays", "liked_plays", "tracks"])


def genre_level(by_artist: pl.DataFrame, sides: Lookups) -> pl.DataFrame:
    """Grain: user, month and genre, the first that the artist lists, null if none; in order of row and genre.

    `row`, `genre`, `plays`, `liked_plays`, `tracks` and `artists`, different ones.
    """
    artists = by_artist.get_column("artist")
    counted = by_artist.with_columns(
        pl.Series("genre", sides.genre_of[artists.to_numpy()]), artists=(artists != NONE).cast(pl.Int64)
    )
    summed = _side_by_side(counted, ["row", "genre"], ["plays", "liked_plays", "tracks", "artists"])
    return summed.with_columns(genre=pl.when(pl.col("genre") != NONE).then("genre"))


def _side_by_side(rows: pl.DataFrame, keys: Sequence[str], summed: Sequence[str]) -> pl.DataFrame:
    """Sums over rows of the same keys, which lie side by side; all are whole numbers without null."""
    columns = [rows.get_column(name).to_numpy() for name in keys]
    begins = np.zeros(rows.height, np.bool_)
    begins[:1] = True
    for column in columns:
        begins[1:] |= column[1:] != column[:-1]
    firsts = np.flatnonzero(begins)
    sums = {name: np.add.reduceat(rows.get_column(name).to_numpy(), firsts) for name in summed}
    distinct = {name: column[firsts] for name, column in zip(keys, columns, strict=True)}
    return pl.DataFrame(distinct | sums).with_columns(pl.col("row").set_sorted())
