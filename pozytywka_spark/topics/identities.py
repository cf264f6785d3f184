"""Which id and name a group has: that of its commonest genre at first, kept through refits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment

from pozytywka_spark.topics.neighbours import NONE

OTHER_GROUP = "other"  # the id and the name of where genres go that belong to no group
NAMED_BY = 3  # commonest genres in a name


def matched(fitted: pl.DataFrame, numbers: str, before: Mapping[str, str]) -> dict[int, str]:
    """The id of each number in the column `numbers`, of `fitted` with `genre` and `artists`.

    `before`: ids by genre. New and old go together one to one so that as many uses as can be keep their id
    (an assignment problem). A number without an old one takes its commonest genre as its id, the next one
    where that is taken.
    """
    rows = fitted.filter(pl.col(numbers) != NONE).sort("artists", "genre", descending=[True, False])
    of_number = {number: part for (number,), part in rows.group_by(numbers, maintain_order=True)}
    ids = _kept(rows, numbers, before)
    taken = {OTHER_GROUP, *before.values(), *ids.values()}
    for number, part in of_number.items():
        if number not in ids:
            ids[int(number)] = _new_id(part.get_column("genre").to_list(), taken)
            taken.add(ids[int(number)])
    return ids


def _kept(rows: pl.DataFrame, numbers: str, before: Mapping[str, str]) -> dict[int, str]:
    both = rows.filter(pl.col("genre").is_in(list(before)))
    if not both.height:
        return {}
    olds = sorted(set(before.values()))
    news = sorted(set(both.get_column(numbers).to_list()))
    of_old = {old: place for place, old in enumerate(olds)}
    of_new = {new: place for place, new in enumerate(news)}
    common = np.zeros((len(news), len(olds)))
    for genre, number, artists in both.select("genre", numbers, "artists").iter_rows():
        common[of_new[number], of_old[before[genre]]] += artists
    pairs = zip(*linear_sum_assignment(common, maximize=True), strict=True)
    return {int(news[new]): olds[old] for new, old in pairs if common[new, old] > 0}


def _new_id(genres: Sequence[str], taken: set[str]) -> str:
    free = next((genre for genre in genres if genre not in taken), None)
    if free is not None:
        return free
    number = 2
    while f"{genres[0]} {number}" in taken:
        number += 1
    return f"{genres[0]} {number}"


def names_of(rows: pl.DataFrame, ids: str) -> dict[str, str]:
    """The name of each id in the column `ids`: its commonest genres, of rows with `genre` and `artists`."""
    commonest = rows.sort("artists", "genre", descending=[True, False]).group_by(ids, maintain_order=True)
    found = commonest.agg(pl.col("genre").head(NAMED_BY).str.join(", "))
    return {**dict(found.iter_rows()), OTHER_GROUP: OTHER_GROUP}
