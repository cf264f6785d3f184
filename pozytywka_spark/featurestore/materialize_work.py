"""A view's newest rows on their way into the online store, by tasks: no row passes the driver.

Three jobs. `gather` cuts keys into slices: those of the table's files with the moment of each row (of a
narrow view with the row itself), those of files that came and went, and those that the store holds. `settle`
takes a slice: which row of a key is the newest, which keys have none left and are deleted; a narrow view is
written at once. `write_rows` reads a wide view's files and writes the rows that are the newest of their key.
Views of one slice each are gathered and settled by `settle_whole`, all of them in one job.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from pozytywka_spark.featurestore.codec import Schema
from pozytywka_spark.featurestore.rows import (
    KEY,
    KNOWN_AT,
    Reading,
    frame_of,
    known_at,
    needed,
    newest_of,
    of_model,
)
from pozytywka_spark.featurestore.slices import cut, cut_stored
from pozytywka_spark.featurestore.target import Target
from pozytywka_spark.featurestore.views import View

if TYPE_CHECKING:
    from pozytywka_spark.featurestore.stores import Store
    from pozytywka_spark.lake.shards import DataFile, Parcel
    from pozytywka_spark.lake.tasks import TaskFiles

ROWS_AT_ONCE = 16_384  # of a wide view: what is joined, packed and written at once
NARROW = 24  # columns at most that go through parcels: a wide view's rows stay in their files
# Kinds of parcels. ROWS: a slice's rows, or key and known_at of a wide view; CHANGED: keys (text) to look up
# again. Both by slice. WINNERS: keys whose newest row is of one moment, by known_at and view
ROWS, CHANGED, WINNERS = "rows", "changed", "winners"


@dataclass(frozen=True)
class Source:
    """Where keys come from: a file of the table, one that came or went, or (no file) the store itself."""

    file: DataFile | None
    changed: bool = False

    @property
    def size(self) -> int:
        """For packing into tasks."""
        return self.file.size if self.file else 1

    @property
    def name(self) -> str:
        """For errors."""
        return self.file.place if self.file else "keys of the store"


@dataclass(frozen=True)
class Slice:
    """Parcels of one slice."""

    number: int
    rows: tuple[Parcel, ...]
    changed: tuple[Parcel, ...]

    @property
    def size(self) -> int:
        """For packing into tasks."""
        return sum(parcel.size for parcel in (*self.rows, *self.changed))


@dataclass(frozen=True)
class Whole:
    """A view of one slice with all that it is made from."""

    job: Job
    sources: tuple[Source, ...]

    @property
    def size(self) -> int:
        """For packing into tasks: of a wide view's rows only keys and moments are read."""
        size = sum(source.size for source in self.sources)
        return size * len(self.job.columns) // len(needed(self.job.view))


@dataclass(frozen=True)
class Chosen:
    """A file of a wide view, and the keys whose newest row is of its month."""

    file: DataFile
    winners: tuple[Parcel, ...]


@dataclass(frozen=True)
class Job:
    """What all three share. `full`: every key is looked up; `numeric`: keys are whole numbers."""

    view: View
    schema: Schema
    reading: Reading
    version: int
    target: Target
    slices: int
    full: bool
    numeric: bool

    @property
    def wide(self) -> bool:
        """Whether rows stay in their files until it is known which are wanted."""
        return self.view.made == "row" and len(self.view.columns) > NARROW

    @property
    def columns(self) -> tuple[str, ...]:
        """What of the table goes through parcels."""
        if not self.wide:
            return needed(self.view)
        names = (self.view.key, "month") if self.view.by_month else (self.view.key,)
        return (*names, *(("model_name", "model_version") if self.view.champion else ()))


def gather(job: Job, sources: Sequence[Source], files: TaskFiles) -> Iterator[Mapping[str, Any]]:
    """Keys and rows of the sources, put down by slice."""
    for source in sources:
        if source.file is None:
            _stage_stored(job, files)
        elif source.changed:
            keys = files.read([source.file], [job.view.key]).drop_nulls().unique()
            for number, part in cut(keys, job.view.key, job.slices):
                files.stage(CHANGED, part.select(pl.col(job.view.key).cast(pl.String).alias(KEY)), (number,))
        else:
            for number, part in cut(
                table_rows(job, files.read([source.file], job.columns)), job.view.key, job.slices
            ):
                files.stage(ROWS, part, (number,))
        yield {"sources": 1}


def table_rows(job: Job, rows: pl.DataFrame) -> pl.DataFrame:
    """A file's rows as they are put down: those with a key, of a wide view key and moment alone."""
    rows = rows.filter(pl.col(job.view.key).is_not_null())
    if not job.wide:
        return rows
    if job.view.champion:
        rows = of_model(rows, job.reading.model)
    return rows.select(job.view.key, known_at(job.view, job.reading.delay_hours).alias(KNOWN_AT))


def _stage_stored(job: Job, files: TaskFiles) -> None:
    with job.target.open() as store:
        for keys in store.scan_keys(job.view.name):
            rows = pl.DataFrame({KEY: keys}, schema={KEY: pl.String})
            for number, part in cut_stored(rows, KEY, job.slices, numeric=job.numeric):
                files.stage(CHANGED, part, (number,))


def settle(job: Job, slices: Sequence[Slice], files: TaskFiles) -> Iterator[Mapping[str, Any]]:
    """Each slice's newest rows written or (of a wide view) named, and its keys without a row deleted."""
    with job.target.open() as store:
        for one in slices:
            asked = files.read(one.changed).unique() if one.changed else pl.DataFrame(schema={KEY: pl.String})
            yield _settled(job, asked, files.read(one.rows) if one.rows else None, files, store)


def settle_whole(views: Sequence[Whole], files: TaskFiles) -> Iterator[Mapping[str, Any]]:
    """`gather` and `settle` at once of views whose rows a task holds as they are."""
    for view in views:
        job = view.job
        with job.target.open() as store:
            of_table = [each.file for each in view.sources if each.file and not each.changed]
            rows = table_rows(job, files.read(of_table, job.columns)) if of_table else None
            yield {"view": job.view.name, **_settled(job, _asked(view, files, store), rows, files, store)}


def _asked(view: Whole, files: TaskFiles, store: Store) -> pl.DataFrame:
    """The keys to look up, as text."""
    name, key = view.job.view.name, view.job.view.key
    changed = [each.file for each in view.sources if each.file and each.changed]
    parts = [files.read(changed, [key]).select(pl.col(key).cast(pl.String).alias(KEY))] if changed else []
    if view.job.full:
        parts += [pl.DataFrame({KEY: keys}, schema={KEY: pl.String}) for keys in store.scan_keys(name)]
    return pl.concat([pl.DataFrame(schema={KEY: pl.String}), *parts]).drop_nulls().unique()


def _settled(
    job: Job, asked: pl.DataFrame, rows: pl.DataFrame | None, files: TaskFiles, store: Store
) -> Mapping[str, Any]:
    if rows is not None and not job.full:
        rows = rows.join(_as_of_table(asked, rows, job.view.key), on=job.view.key, how="semi")
    there = _newest_named(job, rows, files) if job.wide else _newest_written(job, rows, store)
    gone = asked.join(pl.DataFrame({KEY: there}), on=KEY, how="anti").get_column(KEY).to_list()
    deleted = store.delete_many(job.view.name, gone, job.target.epoch) if gone else 0
    return {"keys": there.len(), "deleted": deleted}


def _as_of_table(asked: pl.DataFrame, rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """Keys in the table's own type."""
    return asked.select(pl.col(KEY).cast(rows.schema[key], strict=False).alias(key)).drop_nulls()


def _newest_named(job: Job, rows: pl.DataFrame | None, files: TaskFiles) -> pl.Series:
    """A wide view's keys, put down by the moment of their newest row."""
    if rows is None or not rows.height:
        return pl.Series(KEY, [], pl.String)
    last = rows.group_by(job.view.key).agg(pl.col(KNOWN_AT).max())
    for (moment,), part in sorted(last.partition_by(KNOWN_AT, as_dict=True).items()):
        files.stage(WINNERS, part.select(job.view.key), (int(moment), job.view.name))
    return last.get_column(job.view.key).cast(pl.String)


def _newest_written(job: Job, rows: pl.DataFrame | None, store: Store) -> pl.Series:
    """A narrow view's keys, their newest rows written."""
    if rows is None or not rows.height:
        return pl.Series(KEY, [], pl.String)
    made = newest_of(job.view, rows, job.version, job.reading)
    write(job, made, store)
    return made.get_column(KEY)


def write_rows(job: Job, chosen: Sequence[Chosen], files: TaskFiles) -> Iterator[Mapping[str, Any]]:
    """Of files of a wide view the rows that are their keys' newest, written so many at a time."""
    rows = (
        few
        for one in chosen
        for few in wanted_rows(job, one.file, files.read(one.winners).get_column(job.view.key), files)
    )
    with job.target.open() as store:
        for many in _together(rows):
            write(job, frame_of(job.view, many, job.version, job.reading), store)
            yield {"written": many.height}


def wanted_rows(job: Job, file: DataFile, wanted: pl.Series, files: TaskFiles) -> Iterator[pl.DataFrame]:
    """The rows (`needed`) of a file that are of the wanted keys (the table's own)."""
    keys = pl.DataFrame({job.view.key: wanted})
    parts = files.read_parts(file, needed(job.view))
    # a row group of a wide view is 120 MB: no more than one copy of it
    for rows in (few for part in parts for few in part.iter_slices(ROWS_AT_ONCE)):
        mine = rows.join(keys, on=job.view.key, how="semi")
        if mine.height:
            yield mine


def _together(parts: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same rows, those of many files at once: each time costs as much as a thousand rows."""
    waiting: list[pl.DataFrame] = []
    for part in parts:
        waiting.append(part)
        if sum(each.height for each in waiting) >= ROWS_AT_ONCE:
            yield pl.concat(waiting)
            waiting = []
    if waiting:
        yield pl.concat(waiting)


def write(job: Job, rows: pl.DataFrame, store: Store) -> None:
    """A view's rows into the store, in the order of their keys: neighbours share pages."""
    from pozytywka_spark.featurestore.packing import packed_slices

    for packed in packed_slices(job.schema, rows.sort(KEY)):
        store.write_many(job.view.name, packed.keys, packed.values, job.target.epoch)
