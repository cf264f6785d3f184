"""Files that are written already, by tasks or by this process, on their way into a commit."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pyarrow as pa
from deltalake.transaction import AddAction

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake import naming
from pozytywka_spark.lake.shards import Written
from pozytywka_spark.lake.table_files import TableFiles
from pozytywka_spark.schemas import Table


def files_of(rows: pa.Table | Sequence[Written], table: Table, files: TableFiles) -> list[Written]:
    """The files of `rows`: written now if it is a table of this process.

    Raises `LakeError` for rows that the table doesn't hold, or files of another table.
    """
    naming.check_declaration(table)
    if isinstance(rows, pa.Table):
        return files.write_all(table, rows)
    for file in rows:
        if file.table != table.name or set(file.partition) != set(table.partition_by):
            raise LakeError(f"table {table.name}: {file.place} was written for another table: {file.table}")
    return list(rows)


def adding(written: Sequence[Written]) -> list[AddAction]:
    """The actions that add the files to their table."""
    now = int(time.time() * 1000)
    return [
        AddAction(
            path=file.path,
            size=file.size,
            partition_values=dict(file.partition),
            modification_time=now,
            data_change=True,
            stats=file.statistics,
        )
        for file in written
    ]
