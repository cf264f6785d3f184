"""Measures of the groups of genres and the languages that users listened to: levels `group` and `language`.

Groups and languages are numbers here; `row` is the place of the user's month in `UserMonths.keys`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.features.build.first_times import keys_of
from pozytywka_spark.features.build.listener_groups import GROUP_MASK
from pozytywka_spark.features.build.lookups import NONE, Lookups
from pozytywka_spark.features.build.track_numbers import TrackNumbers
from pozytywka_spark.features.build.user_months import GONE, UserMonths

Whole = npt.NDArray[np.int64]
_WORD = np.uint64(64)  # groups in a word of a mask


def group_level(
    by_artist: pl.DataFrame, earlier: pl.DataFrame | None, where: UserMonths, sides: Lookups
) -> pl.DataFrame:
    """Grain: user, month and group of an artist played; in order of row and group.

    `row`, `group`, `code`, `plays`, `new` and `favourite` (0 or 1). `by_artist` as
    `listened.plays_by_artist`; `earlier`, as `first_times.numbered`: artists met in earlier months.
    """
    groups = int(sides.group_of.max(initial=NONE)) + 1
    summed = _summed(by_artist, sides.group_of[by_artist.get_column("artist").to_numpy()], groups)
    rows, group = summed.get_column("row").to_numpy(), summed.get_column("code").to_numpy()
    users = where.user_of[rows]
    met = keys_of(users, group, groups)
    # rows are in order of months: of each user and group the first is the first month
    _, firsts = np.unique(met, return_index=True)
    new = np.zeros(len(met), np.int64)
    new[firsts] = 1
    if earlier is not None:
        new[np.isin(met, _met_before(earlier, where, sides.group_of, groups))] = 0
    return pl.DataFrame(
        {
            "row": rows,
            "group": group,
            "code": sides.code_of[group],
            "plays": summed.get_column("plays"),
            "new": new,
            "favourite": _is_favourite(users, group, where, sides),
        }
    )


def language_level(by_track: pl.DataFrame, tracks: TrackNumbers) -> pl.DataFrame:
    """Grain: user, month and language of a track played; in order of row and language.

    `row`, `language`, `plays` and `polish` (0 or 1). `by_track` as `listened.plays_by_track`.
    """
    sides = tracks.sides
    numbers = tracks.in_catalogue(by_track.get_column("number").to_numpy())
    languages = int(sides.language_of.max(initial=NONE)) + 1
    summed = _summed(by_track, sides.language_of[numbers], languages)
    polish = (pl.col("code") == sides.polish).cast(pl.Int64)
    return summed.select("row", pl.col("code").alias("language"), "plays", polish.alias("polish"))


def _summed(rows: pl.DataFrame, codes: Whole, count: int) -> pl.DataFrame:
    """`row`, `code` and `plays`, summed over rows with a code; in order of row and code."""
    keys = keys_of(rows.get_column("row").to_numpy(), codes, max(count, 1))
    coded = pl.DataFrame({"key": keys, "plays": rows.get_column("plays")}).filter(pl.Series(codes != NONE))
    summed = coded.group_by("key").agg(pl.col("plays").sum()).sort("key")
    row, code = pl.col("key") // max(count, 1), pl.col("key") % max(count, 1)
    return summed.select(row.alias("row"), code.alias("code"), "plays")


def _met_before(earlier: pl.DataFrame, where: UserMonths, group_of: Whole, groups: int) -> Whole:
    users = where.place_users(earlier.get_column("user_id"))
    group = group_of[earlier.get_column("artist").to_numpy()]
    there = (users != GONE) & (group != NONE)
    return np.unique(keys_of(users[there], group[there], groups))


def _is_favourite(users: Whole, group: Whole, where: UserMonths, sides: Lookups) -> Whole:
    """Whether each (place of a user, group) is one of the user's favourites, as 0 or 1."""
    if sides.fond is None or not len(users):
        return np.zeros(len(users), np.int64)
    everyone = pl.DataFrame({"user_id": where.users})
    masks = everyone.join(sides.fond, "user_id", how="left", maintain_order="left")
    words = masks.select(pl.col(f"^{GROUP_MASK}_.*$").fill_null(0)).to_numpy()
    bit = group.astype(np.uint64) % _WORD
    favourite: Whole = (words[users, group // int(_WORD)] >> bit & np.uint64(1)).astype(np.int64)
    return favourite
