"""Changes of a table between two versions, by its log and the store that holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.lake.changes import (
    Changes,
    LoggedFile,
    differing,
    entry_name,
    logged_files,
    not_after,
    not_there,
)
from pozytywka_spark.lake.delta_rs import log, read_parquet
from pozytywka_spark.lake.delta_rs import supported_features as guard
from pozytywka_spark.lake.delta_rs.file_store import Store
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.types import to_spark


def changes(name: str, store: Store, path: str, since: int, until: int | None) -> Changes:
    """See `api.Lake.changes`."""
    now = read_parquet.snapshot(name, path, until, None, store.options)
    guard.check_readable(name, now)
    last = now.version()
    if since == last:
        return Changes(since, last)
    if since > last:
        return Changes(since, last, gone=not_after(name, since, last))
    try:
        before = read_parquet.snapshot(name, path, since, None, store.options)
        files = logged_files(_entries(store, path, since, last))
    except (LakeError, FileNotFoundError):
        return Changes(since, last, gone=not_there(name, since, "its log was cleaned up"))
    if not files:
        return Changes(since, last)
    reason = _another_shape(before, now) or _absent(store, path, files)
    if reason:
        return Changes(since, last, gone=not_there(name, since, reason))
    return Changes(since, last, tuple(_readable(path, files, before, now)))


def _entries(store: Store, path: str, since: int, last: int) -> list[str]:
    """The texts of the commits after `since`. Raises `FileNotFoundError` if one was cleaned up."""
    texts = []
    for version in range(since + 1, last + 1):
        files, place = store.files.storage.at(f"{path}/_delta_log/{entry_name(version)}")
        with files.open_input_stream(place) as source:
            texts.append(source.read().decode())
    return texts


def _another_shape(before: DeltaTable, now: DeltaTable) -> str:
    """Why files of the one can't be read as rows of the other, if so."""
    types = [{f.name: f.dataType.simpleString() for f in to_spark(each.schema())} for each in (before, now)]
    other = differing(*types)
    if other:
        return f"{', '.join(sorted(other))} is of another type now"
    if before.metadata().partition_columns != now.metadata().partition_columns:
        return "it is partitioned in another way now"
    return ""


def _absent(store: Store, path: str, files: Sequence[LoggedFile]) -> str:
    """That files are vacuumed, if so."""
    gone = {file.path for file in files} - store.data_files(path)
    return f"a vacuum deleted {len(gone)} of its files" if gone else ""


def _readable(
    path: str, files: Sequence[LoggedFile], before: DeltaTable, now: DeltaTable
) -> Sequence[DataFile]:
    """Files as tasks open them. What is removed may be logged without its partition: it was added once."""
    schema = arrow_schema(to_spark(now.schema()))
    known = {file.path: file for file in log.active_files(before)}
    result = []
    for file in files:
        earlier = known.get(file.path)
        values = _typed(file.values, schema) if earlier is None else dict(earlier.values)
        size = file.size or (earlier.size if earlier else 0)
        rows = earlier.records or 0 if earlier else 0
        result.append(DataFile(f"{path}/{file.path}", size, rows, values, file.path, schema))
    return result


def _typed(values: Mapping[str, str | None] | None, schema: pa.Schema) -> dict[str, Any]:
    return {
        name: pa.scalar(value or None, pa.string()).cast(schema.field(name).type).as_py()
        for name, value in (values or {}).items()
    }
