"""Groups and languages in numbers: of tracks, and the groups that users like best."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pozytywka_spark.features.build.dimensions import genre_masks
from pozytywka_spark.hashing.codes import code_of

GROUP_MASK = "user_groups"
GROUP, GROUP_CODE, LANGUAGE, POLISH = "group", "group_code", "language", "polish"
OTHER = "other"  # the group of genres that belong to none: nothing that listeners have in common
_POLISH = "pl"


def with_groups(tracks: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """`tracks` of the dimension with `group` of the artist and `language`, UInt32 in the order of ids and
    codes, null if there is none; `group_code`, `codes.code_of` of the group's id; `polish`, whether that is
    the language.

    A track's own language is the one that its title tells for sure, else it is the artist's. `tables`:
    `artist_groups`, and `genre_groups` and `track_languages` where the lake has them.
    """
    names = group_names(tables)
    numbers = {name: number for number, name in enumerate(names)}
    codes = {name: code_of(name) for name in names}
    group = pl.col("group_id")
    artists = tables["artist_groups"].select(
        pl.col("id").alias("artist_id"),
        group.replace_strict(numbers, default=None, return_dtype=pl.UInt32).alias(GROUP),
        group.replace_strict(codes, default=None, return_dtype=pl.Int64).alias(GROUP_CODE),
        pl.col("language").alias("of_artist"),
    )
    joined = tracks.join(artists.unique("artist_id"), "artist_id", how="left", maintain_order="left")
    if "track_languages" in tables:
        own = tables["track_languages"].select(pl.col("id").alias("track_id"), "language").unique("track_id")
        joined = joined.join(own, "track_id", how="left", maintain_order="left")
        language = pl.coalesce("language", "of_artist")
    else:
        language = pl.col("of_artist")
    return joined.select(
        *tracks.columns,
        GROUP,
        GROUP_CODE,
        (language.rank("dense") - 1).cast(pl.UInt32).alias(LANGUAGE),
        (language == _POLISH).fill_null(value=False).alias(POLISH),
    )


def favourite_groups(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Grain: user whose favourite genres have a group, in the order of users: `user_id`, masks
    `user_groups_0` and on, a bit a group.
    """
    groups = tables["genre_groups"].select("genre", "group_id")
    fond = tables["users"].select("user_id", genre="favourite_genres").drop_nulls("user_id").explode("genre")
    named = (
        fond.join(groups, "genre")
        .filter(pl.col("group_id").is_not_null() & (pl.col("group_id") != OTHER))
        .group_by("user_id")
        .agg(pl.col("group_id").unique())
    )
    return named.sort("user_id").select("user_id", *genre_masks("group_id", group_names(tables), GROUP_MASK))


def group_names(tables: Mapping[str, pl.DataFrame]) -> list[str]:
    """The id of each group of artists or genres but `other`, in alphabetic order."""
    ids = [
        tables[name].get_column("group_id") for name in ("artist_groups", "genre_groups") if name in tables
    ]
    different = pl.concat(ids).drop_nulls().unique().sort()
    return [name for name in different.to_list() if name != OTHER]
