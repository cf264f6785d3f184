"""One Parquet file on its way to storage: row groups as rows come, then the footer's statistics."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pozytywka_spark.lake import statistics
from pozytywka_spark.lake.storage import Storage

GROUP_ROWS = 131_072  # of a row group: what a reader can skip
_LEVEL = 1


class FileWriter:
    """Rows of a declared schema in, a file out. Until `close` has returned, the file is nobody's."""

    def __init__(self, storage: Storage, place: str, schema: pa.Schema) -> None:
        storage.make_parent(place)
        store, name = storage.at(place)
        self._footers: list[Any] = []
        self._waiting: list[pa.Table] = []
        self._rows = 0
        self._target = store.open_output_stream(name)
        self._parquet = pq.ParquetWriter(
            self._target,
            schema,
            compression="zstd",
            compression_level=_LEVEL,
            store_schema=False,
            metadata_collector=self._footers,
        )

    def add(self, rows: pa.Table) -> None:
        """Take rows; they are written as soon as they make a row group."""
        self._waiting.append(rows)
        self._rows += rows.num_rows
        if self._rows >= GROUP_ROWS:
            self._flush()

    def close(self, columns: statistics.Leaves) -> tuple[int, statistics.FileStatistics]:
        """End the file; its bytes and what its footer tells of `columns`."""
        self._flush()
        self._parquet.close()
        size: int = self._target.tell()
        self._target.close()
        return size, statistics.of_footer(self._footers[0], columns)

    def abandon(self) -> None:
        """Leave it as it is, to the vacuum: a footer would make half a file look whole."""
        self._parquet.is_open = False
        self._target.close()

    def _flush(self) -> None:
        if self._rows:
            rows = pa.concat_tables(self._waiting).combine_chunks()
            self._parquet.write_table(rows, row_group_size=GROUP_ROWS)
            self._waiting, self._rows = [], 0
