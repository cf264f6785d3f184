"""Rows that people hand in: CSV with a header, JSON Lines or Parquet, as text, some thousand at a time.

A row is a person's answer, so rows are read one by one in plain Python; nothing is ever held but a chunk.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.months import as_micros, as_utc

FORMATS = {"csv": "csv", "json": "json", "jsonl": "json", "ndjson": "json", "parquet": "parquet"}
UNREADABLE = "unreadable row"
TROUBLE = "trouble"  # column: why a row can't be read, null if it can
_AT_ONCE = 50_000
_Row = Mapping[str, Any]


def read_rows(
    path: str, kind: str | None, columns: Sequence[str], flag: str = "--from"
) -> Iterator[pl.DataFrame]:
    """Chunks of the rows of a file, or of the files in a folder: `columns` as text (null if empty), TROUBLE.

    `flag`: what a person named the file by.

    Raises `UsageError` if neither the name nor `kind` tells the format or a column is missing, `DataError`
    for a file that isn't there or can't be read at all.
    """
    files = _files(path, flag)
    for file in files:
        name = file.name.removesuffix(".gz").rpartition(".")[2].lower()
        file_format = FORMATS.get(kind or name) or FORMATS.get(path.rstrip("/").rpartition(".")[2].lower())
        if file_format is None:
            raise UsageError(f"{flag} {path}: say what it is with --format: csv, json or parquet")
        try:
            rows = _READERS[file_format](file, columns, flag)
            while chunk := list(islice(rows, _AT_ONCE)):
                yield _as_frame(chunk, columns)
        except (OSError, EOFError, UnicodeDecodeError, csv.Error, pa.ArrowInvalid) as error:
            raise DataError(f"{flag} {file}: can't be read as {file_format}: {error}") from error


def micros_of(text: str | None) -> int | None:
    """A time in ISO's form in microseconds since 1970, UTC if it names no zone; None if it is none.

    >>> micros_of("1970-01-01T01:00:00+01:00"), micros_of("1970-01-01 00:00:01"), micros_of("soon")
    (None, None, None)
    >>> micros_of("2023-01-01T00:00:00Z")
    1672531200000000
    """
    try:
        moment = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    moment = as_utc(moment)
    if not 2000 <= moment.year < 2100:
        return None
    return as_micros(moment)


def times(column: pl.Series) -> pl.Series:
    """`micros_of` each text."""
    return pl.Series(column.name, [micros_of(text) for text in column.to_list()], pl.Int64)


def _files(path: str, flag: str) -> list[Path]:
    place = Path(path)
    if place.is_dir():
        return sorted(file for file in place.iterdir() if file.is_file() and file.name[0] not in "._")
    if not place.exists():
        raise DataError(f"{flag} {path}: there is no such file")
    return [place]


def _as_frame(rows: Iterable[_Row], columns: Sequence[str]) -> pl.DataFrame:
    names = (*columns, TROUBLE)
    return pl.DataFrame(
        [[_text(row.get(name)) for name in names] for row in rows],
        schema=dict.fromkeys(names, pl.String),
        orient="row",
    )


def _text(value: Any) -> str | None:
    if isinstance(value, datetime):
        return value.isoformat()
    return None if value is None else str(value).strip() or None


def _csv(file: Path, columns: Sequence[str], flag: str) -> Iterator[_Row]:
    with _opened(file) as source:
        reader = csv.DictReader(source)
        _check(flag, file, columns, reader.fieldnames or [])
        yield from reader


def _json(file: Path, columns: Sequence[str], flag: str) -> Iterator[_Row]:
    seen: set[str] = set()
    with _opened(file) as source:
        lines = (line for line in source if line.strip())
        for line in lines:
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            if not isinstance(row, dict):
                yield {TROUBLE: UNREADABLE}
                continue
            if not seen:  # later rows may leave out what is null
                _check(flag, file, columns, list(row))
            seen |= row.keys()
            yield row


def _parquet(file: Path, columns: Sequence[str], flag: str) -> Iterator[_Row]:
    parquet = pq.ParquetFile(file)
    _check(flag, file, columns, parquet.schema_arrow.names)
    for batch in parquet.iter_batches(columns=list(columns)):
        yield from batch.to_pylist()


def _check(flag: str, file: Path, columns: Sequence[str], there: Sequence[str]) -> None:
    missing = [name for name in columns if name not in there]
    if missing:
        raise UsageError(f"{flag} {file}: no column {', '.join(missing)}; it has {', '.join(there)}")


def _opened(file: Path) -> IO[str]:
    if file.name.endswith(".gz"):
        return gzip.open(file, "rt", encoding="utf-8-sig", newline="")
    return file.open(encoding="utf-8-sig", newline="")


_READERS = {"csv": _csv, "json": _json, "parquet": _parquet}
