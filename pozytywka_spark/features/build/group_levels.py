"""Measures of the groups of genres and the languages that users listened to: levels `group` and `language`.

Groups and languages are numbers here, and few: sums over them are made in a grid of rows and numbers, which
takes a tenth of the time that grouping takes. `row` is the place of the user's month in `UserMonths.keys`.
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
_CELLS = 2_000_000  # of the grid at once


def group_level(
    by_artist: pl.DataFrame, earlier: pl.DataFrame | None, where: UserMonths, sides: Lookups
) -> pl.DataFrame:
    """Grain: user, month and group of an artist played; in order of row and group.

    `row`, `group`, `code`, `plays`, `new` and `favourite` (0 or 1). `by_artist` as
    `listened.plays_by_artist`; `earlier`, as `first_times.numbered`: artists met in earlier months.
    """
    groups = int(sides.group_of.max(initial=NONE)) + 1
    rows, group, plays = summed(by_artist, sides.group_of[by_artist.get_column("artist").to_numpy()], groups)
    users = where.user_of[rows]
    level = {
        "row": rows,
        "group": group,
        "code": sides.code_of[group],
        "plays": plays,
        "new": _is_new(keys_of(users, group, groups), earlier, where, sides.group_of, groups),
        "favourite": _is_favourite(users, group, where, sides),
    }
    return pl.DataFrame(level).with_columns(pl.col("row").set_sorted())


def language_level(by_track: pl.DataFrame, tracks: TrackNumbers) -> pl.DataFrame:
    """Grain: user, month and language of a track played; in order of row and language.

    `row`, `language`, `plays` and `polish` (0 or 1). `by_track` as `listened.plays_by_track`.
    """
    sides = tracks.sides
    numbers = tracks.in_catalogue(by_track.get_column("number").to_numpy())
    languages = int(sides.language_of.max(initial=NONE)) + 1
    rows, language, plays = summed(by_track, sides.language_of[numbers], languages)
    polish = (language == sides.polish).astype(np.int64)
    level = {"row": rows, "language": language, "plays": plays, "polish": polish}
    return pl.DataFrame(level).with_columns(pl.col("row").set_sorted())


def summed(rows: pl.DataFrame, codes: Whole, count: int) -> tuple[Whole, Whole, Whole]:
    """Row, code and summed plays of all rows with a code, by row and code.

    `rows` has `row` and `plays` (above 0), in order of rows; `codes` are of each, below `count` or NONE.
    """
    row, plays = rows.get_column("row").to_numpy(), rows.get_column("plays").to_numpy()
    width = count + 1  # the first column is for none
    step = max(1, _CELLS // width)
    parts: list[tuple[Whole, Whole]] = []
    for start in range(0, int(row[-1]) + 1 if len(row) else 0, step):
        mine = slice(*np.searchsorted(row, (start, start + step)))
        cells = (row[mine] - start) * width + codes[mine] + 1
        # sums of doubles are exact up to 2^53, which no user's month of plays comes near
        sums = np.bincount(cells, weights=plays[mine])
        places = np.flatnonzero(sums)
        places = places[places % width != 0]
        parts.append((places + start * width, sums[places].astype(np.int64)))
    at = np.concatenate([np.zeros(0, np.int64), *(places for places, _ in parts)])
    total = np.concatenate([np.zeros(0, np.int64), *(sums for _, sums in parts)])
    return at // width, at % width - 1, total


def _is_new(
    met: Whole, earlier: pl.DataFrame | None, where: UserMonths, group_of: Whole, groups: int
) -> Whole:
    """1 where a user met a group for the first time; `met`: user and group as one number, by month."""
    everything = len(where.users) * groups
    # of several writes to one place the last one counts, which is that of the first month
    first = np.full(everything, NONE, np.int64)
    first[met[::-1]] = np.arange(len(met))[::-1]
    new = first[met] == np.arange(len(met))
    if earlier is not None:
        users = where.place_users(earlier.get_column("user_id"))
        group = group_of[earlier.get_column("artist").to_numpy()]
        there = (users != GONE) & (group != NONE)
        before = np.zeros(everything, np.bool_)
        before[keys_of(users[there], group[there], groups)] = True
        new &= ~before[met]
    flags: Whole = new.astype(np.int64)
    return flags


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
