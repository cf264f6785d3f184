"""Counts behind the segments, and behind what muddies a reading: a few rows whatever the number of users."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pozytywka_spark.dataset.subgroups import OTHER, UNKNOWN, largest_cities

Told = Sequence[Mapping[str, Any]]


def segment_counts(rows: Told, max_cities: int) -> list[dict[str, Any]]:
    """A row a segment, value, group and stratum: users and buyers among those who take part.

    `rows` as of `reading_work.counts_of`, of several slices; small cities become one.
    """
    sizes: Counter[str | None] = Counter()
    for row in rows:
        if row["segment"] == "city" and row["value"] is not None:
            sizes[row["value"]] += row["users"]
    large = set(largest_cities(sizes, max_cities))
    counts: dict[tuple[Any, ...], list[int]] = {}
    for row in rows:
        value = row["value"]
        if row["segment"] == "city" and value is not None and value not in large:
            value = OTHER
        key = (row["segment"], UNKNOWN if value is None else value, row["group"], row["revision"])
        users, buyers = counts.get(key, (0, 0))
        counts[key] = [users + row["users"], buyers + row["buyers"]]
    names = ("segment", "value", "group", "revision", "users", "buyers")
    return [dict(zip(names, (*key, *sums), strict=True)) for key, sums in sorted(counts.items())]


def contamination(muddied: Told, elsewhere: Told) -> list[dict[str, Any]]:
    """A row a group and way in which groups aren't what they are named: users concerned.

    The reading goes by the first group all the same (intention to treat): leaving such users out would
    compare groups that differ in who stayed. Given is what `reading_work.ReadUsers` told of several slices.
    """
    own: dict[str, Counter[str]] = {}
    for row in muddied:
        own.setdefault(row["group"], Counter()).update(
            {what: users for what, users in row.items() if what != "group"}
        )
    rows = [
        {"group": group, "what": what, "users": users}
        for group, ways in sorted(own.items())
        for what, users in ways.items()
        if users
    ]
    shared: Counter[tuple[str, str]] = Counter()
    for row in elsewhere:
        shared[row["experiment"], row["group"]] += row["users"]
    return rows + [
        {"group": group, "what": f"also treated by {other}", "users": users}
        for (other, group), users in sorted(shared.items())
    ]
