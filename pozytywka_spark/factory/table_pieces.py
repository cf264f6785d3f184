"""A table of any size in pieces that fit a task's memory: read one after another, each column of one kind.

The kind of a column (of texts as CSV has them, of JSON's values) is what all of its pieces allow: `empty`,
`bool`, `int`, `float`, `text`; else the name of its type.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles

FORMATS = (".csv", ".jsonl", ".json", ".parquet")
PIECE = "piece"  # kind of parcels, keyed by their place in the table
PIECE_BYTES = 64 << 20  # a task holds some seven times as much of it
AS_WRITTEN = ("case_id", "group", "verdict")  # texts, even where they look like numbers
EMPTY, BOOL, INT, FLOAT, TEXT = "empty", "bool", "int", "float", "text"
_TYPES = {EMPTY: pl.Float64, BOOL: pl.Boolean, INT: pl.Int64, FLOAT: pl.Float64, TEXT: pl.String}
_TRIED = 1000  # line breaks in one value
_HEAD = 1000  # values that mostly tell already what a column is not


@dataclass(frozen=True)
class Pieces:
    """A table that lies in pieces: their parcels in the table's order, and its columns' kinds in theirs."""

    path: str
    parcels: tuple[Parcel, ...]
    kinds: Mapping[str, str]


@dataclass(frozen=True)
class ReadPieces:
    """Work on paths: stages PIECE by place, tells each piece's kinds. A file is read once, from its begin."""

    piece_bytes: int = PIECE_BYTES

    def __call__(self, items: Sequence[str], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a piece."""
        for path in items:
            for place, piece in enumerate(pieces_of(path, self.piece_bytes)):
                files.stage(PIECE, piece, (place,))
                yield {"place": place, "kinds": kinds_of(piece, are_texts=path.lower().endswith(".csv"))}


def pieces_of(path: str, piece_bytes: int) -> Iterator[pl.DataFrame]:
    """A CSV's (with a header; all texts), JSON Lines' or Parquet's rows, one frame at least.

    Raises `UsageError`, `DataError` in one line.
    """
    kind = PurePath(path).suffix.lower()
    if kind not in FORMATS:
        raise UsageError(f"--from {path}: expected a file that ends in {', '.join(FORMATS)}")
    try:
        if kind == ".parquet":
            yield from _parquet(path, piece_bytes)
        else:
            yield from _texts(path, piece_bytes, is_csv=kind == ".csv")
    except FileNotFoundError:
        raise DataError(f"--from {path}: there is no such file") from None
    except (OSError, pl.exceptions.PolarsError, pa.ArrowException) as error:
        words = (str(error).splitlines() or ["no reason given"])[0]
        raise DataError(f"--from {path}: can't be read as {kind[1:]}: {words}") from error


def kinds_of(piece: pl.DataFrame, *, are_texts: bool) -> dict[str, str]:
    """Each column's kind; `are_texts`: values are still as they were written."""
    return {
        column.name: _written(column) if are_texts and column.name not in AS_WRITTEN else _kind(column.dtype)
        for column in piece
    }


def common_kinds(told: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What the columns of all pieces are: the narrowest kind that holds each one's."""
    found: dict[str, str] = {}
    for kinds in told:
        for name, kind in kinds.items():
            found[name] = _wider(found.get(name, EMPTY), kind)
    return found


def typed(piece: pl.DataFrame, kinds: Mapping[str, str]) -> pl.DataFrame:
    """A piece with all columns of the table, in their types; one that it lacks is null."""
    columns = []
    for name, kind in kinds.items():
        if name not in piece.columns:
            columns.append(pl.lit(None, _TYPES.get(kind, pl.Null)).alias(name))
        elif kind == BOOL and piece.schema[name] == pl.String:
            columns.append(pl.col(name).str.to_lowercase() == "true")
        elif kind in _TYPES:
            columns.append(pl.col(name).cast(_TYPES[kind]))
        else:
            columns.append(pl.col(name))
    return piece.select(columns)


def _parquet(path: str, piece_bytes: int) -> Iterator[pl.DataFrame]:
    with pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        rows = max(1, piece_bytes // (8 * max(1, len(names))))
        if not file.metadata.num_rows:
            yield _frame(file.schema_arrow.empty_table())
        for batch in file.iter_batches(batch_size=rows):
            yield _frame(pa.Table.from_batches([batch]))


def _frame(rows: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _texts(path: str, piece_bytes: int, *, is_csv: bool) -> Iterator[pl.DataFrame]:
    with open(path, "rb") as source:  # noqa: PTH123 a path as the person gave it
        header = b""
        for number, lines in enumerate(_whole_lines(source, piece_bytes, quoted=is_csv)):
            if not is_csv:
                yield pl.read_ndjson(io.BytesIO(lines), infer_schema_length=None)
                continue
            if number == 0:
                header = lines[: _end_of_row(lines) + 1]
            whole = lines if number == 0 else header + lines
            yield pl.read_csv(io.BytesIO(whole), infer_schema=False)


def _whole_lines(source: io.BufferedReader, size: int, *, quoted: bool) -> Iterator[bytes]:
    """Bytes up to the end of a row; where values are `quoted` a line break between quotes is part of one."""
    rest = b""
    while block := source.read(size):
        rest += block
        end = _last_end(rest) if quoted else rest.rfind(b"\n")
        if end >= 0:
            yield rest[: end + 1]
            rest = rest[end + 1 :]
    if rest:
        yield rest


def _last_end(lines: bytes) -> int:
    """The last line break with as many quotes opened as closed before it."""
    last = end = lines.rfind(b"\n")
    quotes = lines.count(b'"', 0, max(end, 0))
    for _ in range(_TRIED):
        if end < 0 or not quotes % 2:
            return end
        before = lines.rfind(b"\n", 0, end)
        quotes -= lines.count(b'"', max(before, 0), end)
        end = before
    return last  # a quote that is none


def _end_of_row(lines: bytes) -> int:
    end = lines.find(b"\n")
    while end >= 0 and lines.count(b'"', 0, end) % 2:
        end = lines.find(b"\n", end + 1)
    return end if end >= 0 else len(lines)


def _written(column: pl.Series) -> str:
    values = column.drop_nulls()
    if not len(values):
        return EMPTY
    for kind, fits in ((BOOL, _are_bools), (INT, _are(pl.Int64)), (FLOAT, _are(pl.Float64))):
        if fits(values.head(_HEAD)) and fits(values):
            return kind
    return TEXT


def _are_bools(values: pl.Series) -> bool:
    return bool(values.str.to_lowercase().is_in(["true", "false"]).all())


def _are(kind: type[pl.DataType]) -> Any:
    return lambda values: values.cast(kind, strict=False).null_count() == 0


def _kind(dtype: pl.DataType) -> str:
    if dtype == pl.Null:
        return EMPTY
    if dtype == pl.Boolean:
        return BOOL
    if dtype.is_integer():
        return INT
    if dtype.is_numeric():
        return FLOAT
    return TEXT if dtype in (pl.String, pl.Categorical, pl.Enum) else str(dtype)


def _wider(one: str, other: str) -> str:
    if one == other or other == EMPTY:
        return one
    if one == EMPTY:
        return other
    return FLOAT if {one, other} == {INT, FLOAT} else TEXT
