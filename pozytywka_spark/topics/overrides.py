"""What a person says of genres: a file of lines `genre,group`, and what can't be among them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pozytywka_spark.errors import DataError
from pozytywka_spark.topics.identities import OTHER_GROUP


@dataclass(frozen=True)
class Overrides:
    """`groups`: by genre the id or name of a group, empty to take back what was said before; `file`: where
    it stands, for errors.
    """

    groups: Mapping[str, str]
    file: str


def read_overrides(file: str) -> Overrides:
    """Lines of a CSV file with the columns `genre` and `group`; others are not looked at.

    Raises `DataError` for a file that isn't there or lacks them, and for a genre with two groups.
    """
    path = Path(file)
    if not path.is_file():
        raise DataError(f"--overrides {file}: there is no such file")
    found: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            if not {"genre", "group"} <= set(rows.fieldnames or ()):
                raise DataError(f"--overrides {file}: expected a first line with the columns genre and group")
            for row in rows:
                genre, group = row["genre"] or "", (row["group"] or "").strip()
                if found.setdefault(genre, group) != group:
                    raise DataError(
                        f"--overrides {file}: {genre} has two groups, {found[genre]!r} and {group!r}"
                    )
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"--overrides {file}: no CSV in UTF-8: {error}") from error
    return Overrides(found, file)


def checked(overrides: Overrides, groups: pl.DataFrame) -> tuple[dict[str, str], list[str]]:
    """By genre the id of the group that it is put into, and the genres that go back to where they belong.

    Raises `DataError` for genres that no artist has and for groups that aren't there.
    """
    genres = set(groups.get_column("genre").to_list())
    unknown = [genre for genre in overrides.groups if genre not in genres]
    if unknown:
        raise DataError(
            f"--overrides {overrides.file}: no artist has the genre {_some(unknown)}; --export lists all"
        )
    names = {name: group for group, name in groups.select("group_id", "group").unique().iter_rows()}
    ids = {OTHER_GROUP, *names.values()}
    found = {
        genre: group if group in ids else names.get(group)
        for genre, group in overrides.groups.items()
        if group
    }
    missing = sorted({overrides.groups[genre] for genre, group in found.items() if group is None})
    if missing:
        raise DataError(
            f"--overrides {overrides.file}: there is no group {_some(missing)}; --export lists all"
        )
    taken_back = [genre for genre, group in overrides.groups.items() if not group]
    return {genre: group for genre, group in found.items() if group is not None}, taken_back


def _some(names: list[str]) -> str:
    more = f" (and {len(names) - 1} others)" if len(names) > 1 else ""
    return f"{names[0]!r}{more}"
