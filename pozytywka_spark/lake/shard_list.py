"""A table's shards, from its log: no data file is opened but one that the log has no row count of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.lake.delta_rs import log
from pozytywka_spark.lake.shards import DataFile, Shard
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.lake.types import to_spark


def data_files(
    storage: Storage, path: str, table: DeltaTable, active: Sequence[log.ActiveFile]
) -> list[DataFile]:
    """A snapshot's files as tasks open them."""
    schema = arrow_schema(to_spark(table.schema()))
    return [_data_file(storage, path, schema, file) for file in active]


def shards_of(name: str, files: Sequence[DataFile]) -> list[Shard]:
    """Files brought together by partition, in the order of their values, null first."""
    groups: dict[tuple[Any, ...], list[DataFile]] = {}
    for file in files:
        groups.setdefault(tuple(file.partition.items()), []).append(file)
    ordered = sorted(groups, key=lambda values: [(value is not None, value) for _, value in values])
    return [Shard(name, dict(values), tuple(groups[values])) for values in ordered]


def check_columns(name: str, schema: pa.Schema, columns: Sequence[str] | None) -> None:
    """Raise `LakeError` naming a column that the table doesn't have."""
    for column in columns or ():
        if column not in schema.names:
            raise LakeError(f"table {name}: there is no column {column}; it has {', '.join(schema.names)}")


def _data_file(storage: Storage, path: str, schema: pa.Schema, file: log.ActiveFile) -> DataFile:
    place = f"{path}/{file.path}"
    records = _counted(storage, place) if file.records is None else file.records
    return DataFile(place, file.size, records, _typed(file.values, schema), file.path, schema)


def _typed(values: Mapping[str, Any], schema: pa.Schema) -> dict[str, Any]:
    return {name: pa.scalar(value, schema.field(name).type).as_py() for name, value in values.items()}


def _counted(storage: Storage, place: str) -> int:
    store, name = storage.at(place)
    with store.open_input_file(name) as source:
        return int(pq.read_metadata(source).num_rows)
