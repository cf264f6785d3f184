"""Reads what the page shows: groups with what they have, languages, fits."""

from __future__ import annotations

from collections import Counter, defaultdict

import polars as pl

from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.schemas import ARTIST_GROUPS, TRACK_LANGUAGES
from pozytywka_spark.topics.inputs import read_fits, read_state
from pozytywka_spark.topics.page import Shown, render
from pozytywka_spark.topics.report_languages import count_languages
from pozytywka_spark.topics.report_work import COLUMNS, TRACKS, Counted, SumUp


def make_page(lake: Lake) -> str:
    """The HTML text of the groups as they are. Raises `DataError` if there are none."""
    state = read_state(lake)
    if state.groups is None or not lake.exists(ARTIST_GROUPS.name):
        raise DataError(f"table genre_groups is not in {lake.root}: run topics first")
    with lake.tasks() as tasks:
        sums = _sums(lake, tasks, state.groups)
        done = tasks.run(
            [
                (table.name, file)
                for table in (ARTIST_GROUPS, TRACK_LANGUAGES)
                for file in data_files(lake, tasks, table.name)
            ],
            count_languages,
            weight=lambda item: item[1].size,
            named=lambda item: f"{item[0]} in {item[1].place}",
        )
    played = lake.exists("track_plays")
    return render(Shown(state.groups, read_fits(lake), sums, list(done.results), plays_counted=played))


def _sums(lake: Lake, tasks: Tasks, groups: pl.DataFrame) -> dict[str, Counter[str]]:
    """By group: `tracks`, `plays`, `listeners`, `premium`, `asked`."""
    items = [
        Counted(table, file)
        for table, columns in COLUMNS.items()
        for file in data_files(lake, tasks, table, columns)
    ]
    work = SumUp(
        tasks.put("genres", groups.select("genre", "group_id")),
        data_files(lake, tasks, ARTIST_GROUPS.name),
        data_files(lake, tasks, TRACKS, COLUMNS[TRACKS]),
    )
    done = tasks.run(
        items,
        work,
        weight=lambda item: item.file.size,
        named=lambda item: f"{item.table} in {item.file.place}",
    )
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line in done.results:
        found[str(line["group_id"])].update({key: value for key, value in line.items() if key != "group_id"})
    return dict(found)
