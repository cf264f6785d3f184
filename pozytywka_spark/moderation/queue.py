"""The cases that people are asked, as JSON Lines in one file, most harm first."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from pozytywka_spark import schemas
from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.moderation import rows
from pozytywka_spark.moderation.inputs import cases_of, decided_of, files_of, size_of, slices_of
from pozytywka_spark.moderation.queue_work import (
    BINS,
    KEYS,
    LINES,
    OPEN,
    SIGNALS,
    FindOpen,
    SumSignals,
    WriteLines,
    slice_name,
)
from pozytywka_spark.moderation.rows import Files
from pozytywka_spark.reports.files import unfinished

SIGNALS_TABLE = "signals"
_QUEUED = pl.Schema({**rows.CASES, "rules": pl.List(pl.String), "harm": pl.Float64()})


def write_queue(lake: Lake, out: str, opened_until: int | None = None, reviewer: str | None = None) -> int:
    """Write the open cases to the file `out`, in one move; their number.

    `opened_until` (microseconds): only those opened by then. `reviewer`: none that they have answered.
    Raises `DataError` if there are no cases or the file can't be written.
    """
    with lake.tasks() as tasks:
        cases = Files(cases_of(lake, tasks).files, _QUEUED)
        verdicts = files_of(lake, tasks, schemas.VERDICTS.name, rows.VERDICTS)
        decisions = decided_of(lake, tasks)
        looks = files_of(lake, tasks, schemas.SECOND_LOOKS.name, rows.LOOKS)
        slices = slices_of(cases, verdicts, decisions.decisions)
        found = tasks.run(
            range(slices),
            FindOpen(slices, cases, verdicts, decisions, looks, opened_until, reviewer),
            weight=lambda _: size_of(cases, verdicts) + decisions.size,
            named=slice_name,
        )
        opened = tuple(found.of(OPEN))
        schema = lake.schema(SIGNALS_TABLE)
        names = tuple(name for name in schema.names if name not in KEYS) if schema is not None else ()
        summed: tuple[Parcel, ...] = ()
        if names and opened:
            months = {month for line in found.results for month in line[BINS]}
            shards = lake.shards(SIGNALS_TABLE, tasks, None, ["user_id", "day", *names])
            wanted = [shard for shard in shards if shard.partition["month"].isoformat() in months]
            done = tasks.run(
                wanted,
                SumSignals(names, opened),
                weight=lambda shard: shard.size,
                named=lambda shard: f"signals of {shard.partition['month']:%Y-%m}",
            )
            summed = tuple(done.of(SIGNALS))
        bins = sorted({int(parcel.key[1]) for parcel in opened}, reverse=True)
        written = tasks.run(
            bins,
            WriteLines(names, opened, summed),
            weight=lambda place: sum(parcel.size for parcel in opened if parcel.key[1] == place),
            named=lambda place: f"open cases of harm from {2**place - 1} on",
        )
        lines = sorted(written.of(LINES), key=lambda parcel: -int(parcel.key[0]))
        write_lines(out, (tasks.fetch([parcel]).get_column("line").to_list() for parcel in lines))
        return sum(parcel.rows for parcel in lines)


def write_lines(out: str, chunks: Iterable[Iterable[str]]) -> None:
    """Lines of text into a file that is there whole or not at all. Raises `DataError` if it can't be."""
    try:
        with unfinished(Path(out)) as place, place.open("w", encoding="utf-8", newline="\n") as target:
            for lines in chunks:
                target.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        raise DataError(f"--out {out}: can't be written: {error.strerror or error}") from error
