"""Work for the tests of tasks: in a module of its own, which workers import by its name."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import table

DDL = "k bigint, name string, month date, bucket int"
TABLE = table("worked", DDL, keys=["k"], partition_by=["month", "bucket"])
JANUARY = date(2022, 1, 1)


def write(items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
    for item in items:
        files.write(
            TABLE,
            pl.DataFrame({"name": [f"n{item}"], "k": [item]}),
            {"month": JANUARY, "bucket": item % 2},
            noted={"item": f"{item}"},
        )
        files.stage("numbers", pl.DataFrame({"n": [item]}), ("x", item))
        yield {
            "item": item,
            "day": date(2022, 1, 1 + item),
            "threads": pl.thread_pool_size(),
            "pid": os.getpid(),
        }


def add(items: Sequence[Parcel], files: TaskFiles) -> Iterator[dict[str, Any]]:
    yield {"sum": files.read(items)["n"].sum()}


def search_for_garbage(items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
    yield {"modules": sum(isinstance(one, type(gc)) for one in gc.get_objects()), "all": len(sys.modules)}


def refuse(items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
    raise DataError('part-0.json: not "JSON" [łąka]\nat all')
    yield {}


def die(items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
    if 3 in items:
        os.kill(os.getpid(), 9)
    yield {}


def read_shards(items: Sequence[Any], files: TaskFiles) -> Iterator[dict[str, Any]]:
    for shard in items:
        yield {"rows": files.read(shard.files, ["k", "bucket"]).rows()}


def keep_odd(items: Sequence[Any], files: TaskFiles) -> Iterator[dict[str, Any]]:
    for shard in items:
        rows = files.read(shard.files)
        files.write(TABLE, rows.filter(pl.col("k") % 2 == 1), shard.partition)
        yield {}


def both_ways(parcel: Parcel, files: TaskFiles) -> Iterator[pl.DataFrame]:
    """Columns in another order than the schema's."""
    rows = files.read([parcel])
    yield from rows.with_columns(twice=pl.col("n") * 2).iter_slices(1)
