"""All artists to groups and languages, in tasks; what they wrote is the caller's to commit."""

from __future__ import annotations

from collections import defaultdict

import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.hashing.slices import slices_for
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.topics.artists_work import ARTISTS, COLUMNS, TRACKS, Assign, Files, Part, Split
from pozytywka_spark.topics.languages import Asked

_MOST_ROWS = 200_000  # of artists and tracks in one part, so that it fits into a task
_LEAST_ROWS = 10_000  # fewer aren't worth a part of their own


def assign_artists(settings: Settings, lake: Lake, tasks: Tasks, groups: pl.DataFrame, fit_id: str) -> Done:
    """Files of `artist_groups` and `track_languages`, by rows of `genre_groups`."""
    items = [
        Files(name, (file,))
        for name in (ARTISTS, TRACKS)
        for file in data_files(lake, tasks, name, COLUMNS[name])
    ]
    rows = sum(file.rows for item in items for file in item.files)
    parts = max(slices_for(rows, _MOST_ROWS), min(tasks.slots, slices_for(rows, _LEAST_ROWS)))
    split = tasks.run(
        items,
        Split(parts),
        weight=lambda item: sum(file.size for file in item.files),
        named=lambda item: f"{item.table} in {item.files[0].place}",
    )
    found: defaultdict[tuple[str, int], list[Parcel]] = defaultdict(list)
    for parcel in split.parcels:
        found[parcel.kind, int(parcel.key[0])].append(parcel)
    work = Assign(
        tasks.put("genres", groups.select("genre", "group_id", "subgroup_id", "confidence")),
        Asked(settings.topics.languages, settings.topics.language_confidence),
        fit_id,
    )
    return tasks.run(
        [Part(n, tuple(found[ARTISTS, n]), tuple(found[TRACKS, n])) for n in range(parts)],
        work,
        weight=lambda part: part.weight,
        named=lambda part: f"part {part.number} of the artists",
    )
