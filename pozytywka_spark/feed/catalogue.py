"""Tables of tracks, artists and users -> the catalogue as arrays that all of the feed goes by."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import polars as pl

from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.feed.track_side import UNKNOWN_DAY, Catalogue

TRACKS = ("id", "name", "id_artist", "release_date")
ARTISTS = ("id", "genres")
MOST_GENRES = 6  # of a track: the first of its artist's, the leading one first
NOBODY = ""  # the artist of tracks whose artist is unknown; sorts first
_NO_LETTER = re.compile(r"[\W_]+")


def catalogue_of(
    tracks: pl.DataFrame, artists: pl.DataFrame, cities: list[str], genres: list[str]
) -> Catalogue:
    """`tracks`: TRACKS' columns, `artists`: ARTISTS'; `cities`, `genres`: of users, any order.

    A track has the genres of its artist. Tracks of unknown artists have NOBODY's.
    """
    ordered = tracks.unique("id", keep="first", maintain_order=True).sort("id")
    artist_id = [NOBODY, *artists.get_column("id").drop_nulls().unique().sort().to_list()]
    place = {one: at for at, one in enumerate(artist_id)}
    artist = np.array([place.get(one, 0) for one in ordered.get_column("id_artist").to_list()], np.int64)
    of_artist = dict(
        zip(artists.get_column("id").to_list(), artists.get_column("genres").to_list(), strict=True)
    )
    genre = sorted({one for each in of_artist.values() for one in each or ()} | set(genres))
    return Catalogue(
        track_id=ordered.get_column("id").to_numpy(),
        artist=artist,
        artist_id=np.array(artist_id, dtype=object),
        song=songs(artist, ordered.get_column("name").to_list()),
        genres=_genres(artist, artist_id, of_artist, genre),
        genre=np.array(genre, dtype=object),
        released_day=_days(ordered.get_column("release_date")),
        city=np.array(sorted(set(cities)), dtype=object),
    )


def songs(artist: Array, names: list[str | None]) -> Array:
    """One number for tracks of one artist and one normalised name.

    A track without a name or artist has its own.
    """
    found: dict[tuple[int, str], int] = {}
    numbers = []
    for at, (who, name) in enumerate(zip(artist.tolist(), names, strict=True)):
        plain = normalised(name or "")
        key = (who, plain) if plain and who else (-1, str(at))
        numbers.append(found.setdefault(key, len(found)))
    return np.array(numbers, np.int64)


def normalised(name: str) -> str:
    """Letters and digits in lower case, without accents, a space between words.

    >>> normalised("  Żółta Łódź (Podwodna)!"), normalised("zolta-łodz podwodna")
    ('zołta łodz podwodna', 'zolta łodz podwodna')
    """
    letters = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(one for one in letters if not unicodedata.combining(one))
    return _NO_LETTER.sub(" ", plain).strip()


def favourites_of(users: pl.DataFrame, genre: Array) -> Array:
    """Users × most favourite genres, -1 where there are fewer. `users`: `favourite_genres`."""
    place = {one: at for at, one in enumerate(genre.tolist())}
    rows = [
        [place[one] for one in each or () if one in place]
        for each in users.get_column("favourite_genres").to_list()
    ]
    return _padded(rows, 1)


def _genres(
    artist: Array, artist_id: list[str], of_artist: dict[str, list[str] | None], genre: list[str]
) -> Array:
    place = {one: at for at, one in enumerate(genre)}
    rows = [[place[one] for one in (of_artist.get(who) or ())[:MOST_GENRES]] for who in artist_id]
    return _padded(rows, 1)[artist]


def _padded(rows: list[list[int]], least: int) -> Array:
    width = max([least, *map(len, rows)])
    table = np.full((len(rows), width), -1, np.int64)
    for at, row in enumerate(rows):
        table[at, : len(row)] = row
    return table


def _days(dates: pl.Series) -> Array:
    days = dates.cast(pl.Date).to_physical().cast(pl.Int64).fill_null(int(UNKNOWN_DAY))
    array: Array = days.to_numpy()
    return array
