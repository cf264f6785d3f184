"""Genres and their groups as a file for people."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pozytywka_spark.lake.api import Lake
from pozytywka_spark.reports.files import unfinished
from pozytywka_spark.schemas import GENRE_GROUPS

_COLUMNS = ["genre", "group_id", "group", "subgroup_id", "subgroup", "artists", "assigned_by", "confidence"]


def write_export(lake: Lake, path: Path) -> int:
    """Write `genre_groups` as CSV, groups and genres by artists; how many genres."""
    rows = pl.DataFrame(lake.rows(GENRE_GROUPS.name))
    size = pl.col("artists").sum().over("group_id")
    ordered = rows.sort(size, "group_id", "artists", "genre", descending=[True, False, True, False])
    with unfinished(path) as place:
        ordered.select(_COLUMNS).write_csv(place)
    return rows.height
