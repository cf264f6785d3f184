"""Made-up histories of a view, spines that ask at their edges, and the plainest way to answer them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pozytywka_spark.featurestore.dataset_folder import open_folder
from pozytywka_spark.featurestore.dataset_run import write_dataset
from pozytywka_spark.featurestore.dataset_work import Source, ViewPart
from pozytywka_spark.featurestore.rows import Reading
from pozytywka_spark.featurestore.spine import open_spine
from pozytywka_spark.featurestore.views import Column, View
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.months import next_month
from tests.in_memory import MemoryTasks

VERSION = 7
MICRO = timedelta(microseconds=1)
VIEW = View(
    name="skips",
    meaning="for tests",
    entity="user",
    key="listener",
    table="skips_by_month",
    columns=(Column("skips", "skips"), Column("rate", "their share", source="skip_share")),
    ttl_days=62,
    kind="event",
    owner="tests",
)
Known = tuple[int, date, float | None, float | None]  # user, month, skips, rate
Asked = tuple[int | None, datetime]


@dataclass(frozen=True)
class Answer:
    """What a row of a spine is told."""

    skips: float | None
    rate: float | None
    known_at: datetime | None
    status: str
    version: int | None


def cut_off(month: date, delay_hours: float = 0.0) -> datetime:
    return datetime.combine(next_month(month), datetime.min.time(), UTC) + timedelta(hours=delay_hours)


def edges(months: Iterable[date], ttl_days: int | None, delay_hours: float = 0.0) -> list[datetime]:
    """At, a microsecond before and after each cut-off and each end of what was known at one."""
    turns = [cut_off(month, delay_hours) for month in months]
    turns += [turn + timedelta(days=ttl_days) for turn in turns] if ttl_days is not None else []
    return [turn + step for turn in turns for step in (-MICRO, timedelta(), MICRO)]


def answered_plainly(
    history: Sequence[Known], spine: Sequence[Asked], ttl_days: int | None, delay_hours: float = 0.0
) -> list[Answer]:
    """Row by row, looking at all that was ever known: an oracle."""
    answers = []
    for user, as_of in spine:
        of_user = [
            (cut_off(month, delay_hours), skips, rate) for of, month, skips, rate in history if of == user
        ]
        by_then = [row for row in of_user if row[0] <= as_of]
        if not by_then:
            answers.append(Answer(None, None, None, "missing", None))
            continue
        known_at, skips, rate = max(by_then, key=lambda row: row[0])
        if ttl_days is not None and not as_of - known_at < timedelta(days=ttl_days):
            answers.append(Answer(None, None, known_at, "expired", VERSION))
        else:
            answers.append(Answer(skips, rate, known_at, "present", VERSION))
    return answers


def table_of(history: Sequence[Known]) -> pl.DataFrame:
    """The view's table."""
    schema = {"listener": pl.Int64, "month": pl.Date, "skips": pl.Float64, "skip_share": pl.Float64}
    return pl.DataFrame(history, schema=schema, orient="row")


def spine_file(folder: Path, spine: Sequence[Asked]) -> Path:
    """A spine that has a column more, in Parquet."""
    schema = {"user_id": pl.Int64, "as_of": pl.Datetime("us", "UTC")}
    place = folder / "spine.parquet"
    pl.DataFrame(spine, schema=schema, orient="row").with_row_index("note").write_parquet(place)
    return place


def in_memory(
    tmp_path: Path, table: pl.DataFrame, spine: Path, source: Source, out: str = "out"
) -> tuple[pl.DataFrame, dict[str, dict[str, int]]]:
    """The data set by its kernels, a file of the table a month, without a lake; rows by view and status."""
    tasks = MemoryTasks()
    parts = []
    for (month,), rows in sorted(table.partition_by("month", as_dict=True, include_key=False).items()):
        file = tasks.files.put_file(rows, {"month": month})
        parts.append(ViewPart(len(parts), (file,)))
    folder = open_folder(Storage(), str(tmp_path / out))
    folder.begin()
    opened = open_spine(Storage(), str(spine), [source.view.key_name])
    files, statuses = write_dataset(tasks, [source], [parts], opened, folder)
    places = [tmp_path / out / file.file for file in files]
    return pl.concat([pl.read_parquet(place) for place in places]), statuses


def source_of(
    view: View = VIEW, delay_hours: float = 0.0, columns: tuple[str, ...] = ("skips", "rate")
) -> Source:
    return Source(view, columns, VERSION, Reading(delay_hours))


def answers_in(made: pl.DataFrame, view: str = VIEW.name) -> list[Answer]:
    """The answers that a data set holds."""
    names = ["skips", "rate", *(f"{view}__{each}" for each in ("known_at", "status", "version"))]
    rows: list[tuple[Any, ...]] = made.select(names).rows()
    return [Answer(*row) for row in rows]
