"""One Parquet file on its way to storage: row groups as rows come, then the footer's statistics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import types as kinds

from pozytywka_spark.lake import statistics
from pozytywka_spark.lake.storage.filesystem import Storage

GROUP_ROWS = 131_072  # of a row group: what a reader can skip
# Of events: level 3 takes half as long again and saves 5%; differences take half the time of dictionaries,
# 6% fewer bytes, and are read in half the time
_LEVEL = 1
_WIDE = 40  # columns; of more a row group has few rows
_PACKED = "DELTA_BINARY_PACKED"
# Parquet writes a page at a time, and asks where it is each time: a tenth of the time of a hundred columns
_BUFFER = 1 << 20
NOTED = "pozytywka."  # what the footer's keys of our own begin with


class FileWriter:
    """Rows of a declared schema in, a file out. Until `close` has returned, the file is nobody's."""

    def __init__(self, storage: Storage, place: str, schema: pa.Schema) -> None:
        storage.make_parent(place)
        store, name = storage.at(place)
        self._footers: list[Any] = []
        self._waiting: list[pa.Table] = []
        self._rows = 0
        self._with_nan: set[str] = set()
        self._target = store.open_output_stream(name, buffer_size=_BUFFER)
        self._parquet = pq.ParquetWriter(
            self._target,
            schema,
            **_encodings(schema),
            write_page_index=True,
            store_schema=False,
            metadata_collector=self._footers,
        )

    def add(self, rows: pa.Table, may_have_nan: Iterable[str] | None = None) -> None:
        """Take rows; they are written as soon as they make a row group.

        `may_have_nan`: the columns to look for NaN in, where it is known that the others have none.
        """
        names = rows.schema.names if may_have_nan is None else may_have_nan
        self._with_nan |= with_nan(rows, names)
        self._waiting.append(rows)
        self._rows += rows.num_rows
        if self._rows >= GROUP_ROWS:
            self._flush()

    def note(self, noted: Mapping[str, str]) -> None:
        """Put into the footer what is to be known of the rows without reading them."""
        self._parquet.add_key_value_metadata({f"{NOTED}{key}": text for key, text in noted.items()})

    def close(self, columns: statistics.Leaves) -> tuple[int, statistics.FileStatistics]:
        """End the file; its bytes and what its footer tells of `columns`.

        Arrow passes over NaN in its bounds, and Delta's readers hold NaN for the largest number: a column
        that has one tells nothing.
        """
        self._flush()
        self._parquet.close()
        size: int = self._target.tell()
        self._target.close()
        bounded = {path: names for path, names in columns.items() if names[0] not in self._with_nan}
        return size, statistics.of_footer(self._footers[0], bounded)

    def abandon(self) -> None:
        """Leave it as it is, to the vacuum: a footer would make half a file look whole."""
        self._parquet.is_open = False
        self._target.close()

    def _flush(self) -> None:
        if self._rows:
            rows = pa.concat_tables(self._waiting).combine_chunks()
            self._parquet.write_table(rows, row_group_size=GROUP_ROWS)
            self._waiting, self._rows = [], 0


@lru_cache(maxsize=64)
def _encodings(schema: pa.Schema) -> Mapping[str, Any]:
    """How each column is encoded and compressed, as `pq.ParquetWriter` takes it."""
    leaves = [leaf for field in schema for leaf in _leaves(field.name, field.type)]
    unique = {path for path, kind in leaves if _is_unique(kind)}
    runs = {path for path, kind in leaves if _has_runs(kind)}
    # what features are: through a dictionary they take a seventh more time and are no smaller
    real = {path for path, kind in leaves if kinds.is_floating(kind)}
    # of many short columns zstd takes longer to begin each than to compress it
    quick = real | (runs if len(leaves) > _WIDE else set())
    return {
        # hashes get a tenth smaller only by being told their length once: not worth a third of the time
        # doubles take a fifth more bytes so, and half of the time to be written and to be read
        "compression": {
            path: "none" if path in unique else "snappy" if path in quick else "zstd" for path, _ in leaves
        },
        "compression_level": {path: _LEVEL for path, _ in leaves if path not in unique | quick},
        "use_dictionary": [path for path, _ in leaves if path not in unique | runs | real],
        "column_encoding": dict.fromkeys(runs, _PACKED) | dict.fromkeys(real, "PLAIN"),
    }


def _leaves(path: str, kind: pa.DataType) -> list[tuple[str, pa.DataType]]:
    """Columns of the file, by their paths in it."""
    if kinds.is_struct(kind):
        return [leaf for child in kind for leaf in _leaves(f"{path}.{child.name}", child.type)]
    if kinds.is_list(kind):
        return _leaves(f"{path}.list.element", kind.value_type)
    if kinds.is_map(kind):
        keys = _leaves(f"{path}.key_value.key", kind.key_type)
        return [*keys, *_leaves(f"{path}.key_value.value", kind.item_type)]
    return [(path, kind)]


def _has_runs(kind: pa.DataType) -> bool:
    """Whole numbers, dates and times: near each other where rows are sorted."""
    return any((kinds.is_integer(kind), kinds.is_date(kind), kinds.is_timestamp(kind)))


def _is_unique(kind: pa.DataType) -> bool:
    """Bytes are hashes here, of which no two are alike."""
    return bool(kinds.is_binary(kind))


def with_nan(rows: pa.Table, names: Iterable[str]) -> set[str]:
    """Those of the columns that have NaN, or may have it."""
    return {name for name in names if _has_nan(rows.column(name))}


def _has_nan(column: pa.ChunkedArray) -> bool:
    """Whether a column of numbers has NaN; of nested ones that hold such numbers, that it may."""
    if kinds.is_floating(column.type):
        return bool(pc.any(pc.is_nan(column)).as_py())
    return kinds.is_struct(column.type) and any(
        kinds.is_floating(kind) for _, kind in _leaves("", column.type)
    )
