"""Silver tables as frames, cut into shards and looked at without files and without Spark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
from pyspark.sql import types as T

from pozytywka_spark.ingest.quality.profile import Silver, profile_silver
from pozytywka_spark.lake.shards import Shard
from pozytywka_spark.schemas import SILVER
from tests.in_memory import MemoryFiles, MemoryTasks

_TYPES: Mapping[type, pl.DataType] = {
    T.BinaryType: pl.Binary(), T.BooleanType: pl.Boolean(), T.DateType: pl.Date(), T.DoubleType: pl.Float64(),
    T.IntegerType: pl.Int32(), T.LongType: pl.Int64(), T.StringType: pl.String(),
    T.TimestampType: pl.Datetime("us", "UTC"), T.ArrayType: pl.List(pl.String()),
}  # fmt: skip


def silver_frame(name: str, rows: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
    """Rows of a silver table, with its declared columns and types."""
    table = next(table for table in SILVER if table.name == name)
    schema = {field.name: _TYPES[type(field.dataType)] for field in table.schema}
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def looked_at(
    tables: Mapping[str, pl.DataFrame], *, cut: Callable[[str, int], int] | None = None, slots: int = 1
) -> Silver:
    """`profile_silver` of tables; `cut` says of a table's row, by its number, which of the files it lies in.

    Events are cut by month as well, and lie in the bucket of their user.
    """
    tasks = MemoryTasks(slots)
    shards = {name: _shards(tasks.files, name, rows, cut) for name, rows in tables.items()}
    return profile_silver(tasks, shards)


def _shards(
    files: MemoryFiles, name: str, rows: pl.DataFrame, cut: Callable[[str, int], int] | None
) -> list[Shard]:
    keys = ["event_month", "user_bucket"] if name == "events" else []
    found: dict[tuple[Any, ...], list[Any]] = {}
    places = [cut(name, place) if cut else 0 for place in range(rows.height)]
    rows = rows.with_columns(_file=pl.Series(places, dtype=pl.Int64))
    for values, part in rows.partition_by(*keys, "_file", as_dict=True, maintain_order=True).items():
        partition = dict(zip(keys, values, strict=False))
        file = files.put_file(part.drop(*keys, "_file"), partition)
        found.setdefault(values[: len(keys)], []).append(file)
    return [Shard(name, dict(zip(keys, values, strict=True)), tuple(mine)) for values, mine in found.items()]
