"""The genres of a seasonal slot's arms: those of artists, where arms are artists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import ARTISTS


def genres_of(lake: Lake, arms: Sequence[str]) -> dict[str, str]:
    """The first genre of each arm that is an artist's id, or else an artist's name; others have none."""
    if not lake.exists(ARTISTS.name):
        return {}
    rows = pl.from_arrow(lake.rows(ARTISTS.name, ["id", "name", "genres"]))
    assert isinstance(rows, pl.DataFrame)
    return first_genres(rows, arms)


def first_genres(artists: pl.DataFrame, arms: Sequence[str]) -> dict[str, str]:
    """The same of a frame of artists: `id`, `name`, `genres`. Of several of one name the first id's."""
    with_genre = artists.filter(pl.col("genres").list.len() > 0).sort("id")
    found: Mapping[str, str] = {}
    for column in ("name", "id"):  # an id says more than a name
        mine = with_genre.filter(pl.col(column).is_in(list(arms))).unique(column, keep="first")
        found = {**found, **dict(mine.select(column, pl.col("genres").list.first()).iter_rows())}
    return dict(found)
