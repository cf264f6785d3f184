"""Online beside offline, by tasks: every key and every bit, of all keys or of a sample by a stated hash.

As in `materialize_work`, keys are cut into slices, and a wide view's newest rows are looked up in their
files; here each is packed anew and held against the bytes that are stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from pozytywka_spark.featurestore.differences import Difference, between
from pozytywka_spark.featurestore.materialize_work import (
    CHANGED,
    ROWS,
    WINNERS,
    Chosen,
    Job,
    Slice,
    Source,
    table_rows,
    wanted_rows,
)
from pozytywka_spark.featurestore.packing import packed_slices, rows_at_once
from pozytywka_spark.featurestore.rows import KEY, KNOWN_AT, frame_of, newest
from pozytywka_spark.featurestore.slices import cut, cut_stored, sampled

if TYPE_CHECKING:
    from pozytywka_spark.featurestore.stores import Store
    from pozytywka_spark.lake.shards import DataFile
    from pozytywka_spark.lake.tasks import TaskFiles

FLOOR = "floor"  # CHANGED here has keys of the store (floor null), and of what changed: the version since
MOST_SHOWN = 20  # differences of a task that are told one by one; all are counted


@dataclass(frozen=True)
class ChangedAt:
    """A file that came or went: its keys were looked up again when this version was loaded, or later."""

    file: DataFile
    version: int


@dataclass(frozen=True)
class Check:
    """What all jobs share. `versions`: of the table, that were loaded; `swept`: as in `state`."""

    job: Job
    share: float
    versions: tuple[int, ...]
    swept: int

    def drawn(self, rows: pl.DataFrame, key: str) -> pl.DataFrame:
        """The sample's rows; `key` is text."""
        return sampled(rows, key, self.share)


def gather_to_check(
    check: Check, sources: Sequence[Source | ChangedAt], files: TaskFiles
) -> Iterator[Mapping[str, Any]]:
    """The sample's keys and rows of the sources, put down by slice."""
    job, key = check.job, check.job.view.key
    for source in sources:
        if isinstance(source, ChangedAt):
            keys = files.read([source.file], [key]).drop_nulls().unique()
            for number, part in cut(_drawn(check, keys), key, job.slices):
                named = part.select(pl.col(key).cast(pl.String).alias(KEY), _floor(source.version))
                files.stage(CHANGED, named, (number,))
        elif source.file is not None:
            rows = _drawn(check, table_rows(job, files.read([source.file], job.columns)))
            for number, part in cut(rows, key, job.slices):
                files.stage(ROWS, part, (number,))
        else:
            _stage_stored(check, files)
        yield {"sources": 1}


def _drawn(check: Check, rows: pl.DataFrame) -> pl.DataFrame:
    """The sample's rows of the table's."""
    if check.share >= 1:
        return rows
    text = rows.with_columns(pl.col(check.job.view.key).cast(pl.String).alias("_text"))
    return check.drawn(text, "_text").drop("_text")


def _floor(version: int | None) -> pl.Expr:
    return pl.lit(version, pl.Int64).alias(FLOOR)


def _stage_stored(check: Check, files: TaskFiles) -> None:
    job = check.job
    with job.target.open() as store:
        for keys in store.scan_keys(job.view.name):
            rows = check.drawn(pl.DataFrame({KEY: keys}, schema={KEY: pl.String}), KEY)
            for number, part in cut_stored(rows, KEY, job.slices, numeric=job.numeric):
                files.stage(CHANGED, part.with_columns(_floor(None)), (number,))


def settle_to_check(check: Check, slices: Sequence[Slice], files: TaskFiles) -> Iterator[Mapping[str, Any]]:
    """Of each slice: keys that are stored and shouldn't be; a narrow view's rows held against the store's."""
    job = check.job
    with job.target.open() as store:
        for one in slices:
            named = files.read(one.changed) if one.changed else _nothing()
            stored = named.filter(pl.col(FLOOR).is_null()).select(KEY).unique()
            floors = named.drop_nulls().group_by(KEY).agg(pl.col(FLOOR).max())
            rows = files.read(one.rows) if one.rows else None
            found: list[Difference] = []
            compared = 0
            if rows is None or not rows.height:
                there = pl.Series(KEY, [], pl.String)
            elif job.wide:
                there = _name_newest(job, rows, floors, files)
            else:
                made = newest(frame_of(job.view, rows, job.version, job.reading))
                found = compare(check, _with_floors(made, floors), store)
                there, compared = made.get_column(KEY), made.height
            extra = stored.join(pl.DataFrame({KEY: there}), on=KEY, how="anti")
            found += [
                Difference(job.view.name, key, "extra", "it is in the store, and no row of the table is its")
                for key in extra.get_column(KEY)
            ]
            yield told(found, compared)


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(schema={KEY: pl.String, FLOOR: pl.Int64})


def _name_newest(job: Job, rows: pl.DataFrame, floors: pl.DataFrame, files: TaskFiles) -> pl.Series:
    """A wide view's keys with their floors, put down by the moment of their newest row."""
    last = rows.group_by(job.view.key).agg(pl.col(KNOWN_AT).max())
    last = last.with_columns(pl.col(job.view.key).cast(pl.String).alias(KEY)).join(floors, on=KEY, how="left")
    for (moment,), part in sorted(last.partition_by(KNOWN_AT, as_dict=True).items()):
        files.stage(WINNERS, part.select(job.view.key, KEY, FLOOR), (int(moment), job.view.name))
    return last.get_column(KEY)


def compare_rows(check: Check, chosen: Sequence[Chosen], files: TaskFiles) -> Iterator[Mapping[str, Any]]:
    """Of each file of a wide view the rows that are their keys' newest, held against the store's."""
    job = check.job
    with job.target.open() as store:
        for one in chosen:
            winners = files.read(one.winners)
            floors = winners.select(KEY, FLOOR)
            found: list[Difference] = []
            compared = 0
            for wanted in wanted_rows(job, one.file, winners.get_column(job.view.key), files):
                rows = frame_of(job.view, wanted, job.version, job.reading)
                found += compare(check, _with_floors(rows, floors), store)
                compared += rows.height
            yield told(found, compared)


def _with_floors(rows: pl.DataFrame, floors: pl.DataFrame) -> pl.DataFrame:
    return rows.join(floors.drop_nulls().unique(KEY), on=KEY, how="left", maintain_order="left")


def compare(check: Check, rows: pl.DataFrame, store: Store) -> list[Difference]:
    """A view's rows, with the version that their key was last looked up for, against the store's bytes."""
    job, found = check.job, []
    for packed, part in zip(packed_slices(job.schema, rows), _slices(job, rows), strict=True):
        stored = store.get_many(job.view.name, packed.keys)
        floors, known = part.get_column(FLOOR).to_list(), part.get_column(KNOWN_AT).to_list()
        for place, (key, expected, value) in enumerate(zip(packed.keys, packed.values, stored, strict=True)):
            if value is None and _swept(check, known[place]):
                continue
            floor = floors[place]
            lowest = check.versions[0] if floor is None else floor
            found += between(job.schema, key, expected, value, check.versions, lowest)
    return found


def _slices(job: Job, rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    return rows.iter_slices(rows_at_once(job.schema))


def _swept(check: Check, known_at: int) -> bool:
    days = check.job.view.ttl_days
    return days is not None and known_at + days * 86_400_000_000 <= check.swept


def told(found: Sequence[Difference], compared: int) -> Mapping[str, Any]:
    """Counts by kind, and the first few one by one."""
    kinds: dict[str, int] = {}
    for each in found:
        kinds[each.kind] = kinds.get(each.kind, 0) + 1
    return {"compared": compared, "kinds": kinds, "shown": [each.plain() for each in found[:MOST_SHOWN]]}
