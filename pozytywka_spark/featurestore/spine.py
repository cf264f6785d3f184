"""A spine: rows that somebody wants values for, each with a key and the moment as of which it wants them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from pyarrow import fs

from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.featurestore.asof import AS_OF
from pozytywka_spark.lake.storage.filesystem import Storage

CSV, PARQUET = "csv", "parquet"
_ENDINGS = {".csv": CSV, ".csv.gz": CSV, ".parquet": PARQUET}
_HASHED_AT_ONCE = 1 << 20
_LEAST_LINE, _UNPACKED = 12, 10  # bytes of `1,2023-05-01`; how much larger a packed file may get


@dataclass(frozen=True)
class Spine:
    """The files of a spine, all of one format, and the columns that each of them has.

    A CSV file has no types: its columns are texts, which stay as they are, empty ones too.
    """

    storage: Storage
    path: str
    files: tuple[str, ...]
    format: str
    schema: pa.Schema

    def pieces(self, rows: int) -> Iterator[pa.Table]:
        """Its rows in their order, so many at a time; the last piece has what is left, or nothing.

        Raises `DataError` naming a file that can't be read to its end.
        """
        waiting, ready = self.schema.empty_table(), False
        for part in self._parts(rows):
            waiting = pa.concat_tables([waiting, part])
            while waiting.num_rows >= rows:
                yield waiting.slice(0, rows)
                waiting, ready = waiting.slice(rows), True
        if waiting.num_rows or not ready:
            yield waiting

    def rows_at_most(self) -> int:
        """How many rows it has, of CSV a guess on the high side."""
        rows = 0
        for file in self.files:
            store, name = self.storage.at(file)
            if self.format == PARQUET:
                with store.open_input_file(name) as source:
                    rows += pq.read_metadata(source).num_rows
            else:
                size = store.get_file_info(name).size or 0
                rows += size * (_UNPACKED if name.endswith(".gz") else 1) // _LEAST_LINE
        return rows

    def digest(self) -> str:
        """SHA-256 of its files' bytes, one after the other."""
        digest = hashlib.sha256()
        for file in self.files:
            store, name = self.storage.at(file)
            with store.open_input_stream(name, compression=None) as source:
                while block := source.read(_HASHED_AT_ONCE):
                    digest.update(block)
        return digest.hexdigest()

    def _parts(self, rows: int) -> Iterator[pa.Table]:
        for file in self.files:
            try:
                yield from self._of_file(file, rows)
            except (OSError, pa.ArrowInvalid) as error:
                raise _unreadable(file, self.format, error) from error

    def _of_file(self, file: str, rows: int) -> Iterator[pa.Table]:
        store, name = self.storage.at(file)
        if self.format == PARQUET:
            with store.open_input_file(name) as source:
                for batch in pq.ParquetFile(source).iter_batches(rows):
                    yield _in_order(pa.Table.from_batches([batch]), self.schema, file)
            return
        with _opened_csv(store, name, self.schema) as reader:
            for batch in reader:
                yield _in_order(pa.Table.from_batches([batch]), self.schema, file)


def open_spine(storage: Storage, path: str, keys: Sequence[str]) -> Spine:
    """The spine in a file, or in a folder's files by name; `keys`: what its rows must have besides `as_of`.

    Raises `UsageError` if it is no CSV or Parquet, lacks a column or has one twice; `DataError` if there is
    no such file, or it can't be read.
    """
    place = storage.plain(path)
    files = _files(storage, place, path)
    formats = {_format_of(file) for file in files}
    if len(formats) != 1 or None in formats:
        raise UsageError(f"--spine {path}: expected a name that ends in {', '.join(_ENDINGS)}")
    (of_files,) = formats
    assert of_files is not None
    schema = _schema(storage, files[0], of_files)
    names = schema.names
    double = [name for name in names if names.count(name) > 1]
    if double:
        raise UsageError(f"--spine {path}: there are two columns {double[0]}")
    missing = [name for name in (*keys, AS_OF) if name not in names]
    if missing:
        raise UsageError(
            f"--spine {path}: there is no column {', '.join(missing)}; it has {', '.join(names)}"
        )
    return Spine(storage, path, files, of_files, schema)


def _files(storage: Storage, place: str, path: str) -> tuple[str, ...]:
    if not storage.opens(place):
        raise UsageError(f"--spine {path}: expected a local file, or one on s3:// by the settings s3")
    store, name = storage.at(place)
    info = store.get_file_info(name)
    if info.type == fs.FileType.File:
        return (place,)
    if info.type != fs.FileType.Directory:
        raise DataError(f"--spine {path}: there is no such file")
    inside = store.get_file_info(fs.FileSelector(name))
    names = sorted(
        each.base_name for each in inside if each.type == fs.FileType.File and each.base_name[0] not in "._"
    )
    if not names:
        raise DataError(f"--spine {path}: there is no file in this folder")
    return tuple(f"{place}/{each}" for each in names)


def _format_of(file: str) -> str | None:
    return next((kind for ending, kind in _ENDINGS.items() if file.lower().endswith(ending)), None)


def _schema(storage: Storage, file: str, of_file: str) -> pa.Schema:
    store, name = storage.at(file)
    try:
        if of_file == PARQUET:
            with store.open_input_file(name) as source:
                return pq.ParquetFile(source).schema_arrow.remove_metadata()
        with _opened_csv(store, name, None) as reader:
            return pa.schema([(each, pa.string()) for each in reader.schema.names])
    except (OSError, pa.ArrowInvalid) as error:
        raise _unreadable(file, of_file, error) from error


def _opened_csv(store: fs.FileSystem, name: str, schema: pa.Schema | None) -> pc.CSVStreamingReader:
    """With `schema` as the columns' types; without, only the names are to be trusted."""
    options = pc.ConvertOptions(column_types=schema, strings_can_be_null=False)
    return pc.open_csv(
        store.open_input_stream(name),  # unpacked as its ending says
        parse_options=pc.ParseOptions(newlines_in_values=True),
        convert_options=options,
    )


def _in_order(rows: pa.Table, schema: pa.Schema, file: str) -> pa.Table:
    """Rows of a further file with the first one's columns. Raises `DataError` if it has others."""
    rows = rows.replace_schema_metadata(None)
    if set(rows.schema.names) != set(schema.names) or len(rows.schema.names) != len(schema.names):
        raise DataError(
            f"--spine: {file} has columns {', '.join(rows.schema.names)}, "
            f"the first file {', '.join(schema.names)}"
        )
    rows = rows.select(schema.names)
    wrong = [field.name for field in schema if rows.schema.field(field.name).type != field.type]
    if wrong:
        raise DataError(
            f"--spine: {file} has {wrong[0]} as {rows.schema.field(wrong[0]).type}, "
            f"the first file as {schema.field(wrong[0]).type}"
        )
    return pa.Table.from_arrays(rows.columns, schema=schema)


def _unreadable(file: str, of_file: str, error: Exception) -> DataError:
    said = str(error).splitlines()[0]
    if "Expected " in said and ", got " in said:  # goes on with the line itself, which is nobody's to log
        said = re.sub(r"(, got \d+).*", r"\1", said)
    return DataError(f"--spine: {file} can't be read as {of_file}: {said}")
