"""A file of a log -> frames of its rows, typed, each with its place: JSON Lines (packed or not) or Parquet.

What can't be read as a decision is a row too, with the reason. No Spark here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest.intake.unpack import MAGIC_BYTES, UNREADABLE, codec_of, unpack_error, unpacked
from pozytywka_spark.moderation.reading import times

SAID = pl.Schema(
    {
        "decision_id": pl.String(),
        "slot": pl.String(),
        "user_id": pl.Int64(),
        "decided_at": pl.String(),
        "group": pl.String(),
        "eligible": pl.List(pl.String()),
        "chosen": pl.String(),
        "probability": pl.Float64(),
        "probabilities": pl.List(pl.Float64()),
        "days_since": pl.List(pl.Float64()),
        "policy": pl.String(),
        "stream": pl.String(),
        "reward": pl.Float64(),
    }
)
TEXT, TROUBLE, PLACE = "text", "trouble", "place"  # the line as it came, why it can't be read, where it stood
NEEDED = ("decision_id", "slot", "user_id", "decided_at", "chosen", "probability")
NO_ROW = "unreadable line"
_PARQUET = b"PAR1"
LINES_AT_ONCE, ROWS_AT_ONCE = 100_000, 100_000
_PLACES = 1 << 40  # rows of a file, at most
_ZULU = r"(?:Z|\+00:?00)$"


def packing_of(path: str) -> float:
    """About how many bytes of JSON a byte of the file stands for. Raises `DataError` if it can't be read."""
    head = _head(path)
    if head.startswith(_PARQUET):
        return 8.0
    return 1.0 if codec_of(head) == "plain" else 8.0


def read_log(path: str, number: int) -> Iterator[pl.DataFrame]:
    """Chunks of a file's rows: the columns of SAID with `decided_at` as a time, TEXT (null of sound lines),
    TROUBLE and PLACE, which counts on from the file's `number` among the log's.

    Raises `DataError` for a file that can't be read to its end, or whose Parquet columns are no decisions'.
    """
    place = number * _PLACES
    head = _head(path)
    chunks = _of_parquet(path) if head.startswith(_PARQUET) else _of_lines(path, codec_of(head))
    for chunk in chunks:
        yield _typed(chunk).with_row_index(PLACE, 0).with_columns(pl.col(PLACE).cast(pl.Int64) + place)
        place += chunk.height


def as_text(row: dict[str, Any]) -> str:
    """A row as JSON with its keys in order, whatever file it came from."""
    return json.dumps(row, sort_keys=True, ensure_ascii=False, default=str)


def without_user(text: str) -> str:
    """A line with no user in it, whether it can be read or not.

    >>> without_user('{"slot": "s", "user_id": 12}'), without_user('{"user_id": 12, "slot')
    ('{"slot": "s"}', '{ "slot')
    """
    return re.sub(r',?\s*"user_id"\s*:\s*("[^"]*"|[^,}]*),?(?=(\s*})?)', _joint, text)


def _joint(match: re.Match[str]) -> str:
    begins, ends = match[0].startswith(","), match[0].endswith(",")
    return "," if begins and ends else ""


def _head(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(MAGIC_BYTES)
    except OSError as error:
        raise DataError(f"--from {path}: can't be read: {error.strerror}") from None


def _of_lines(path: str, codec: str) -> Iterator[pl.DataFrame]:
    try:
        with Path(path).open("rb") as file:
            lines = _lines(unpacked(file, codec))
            while some := list(islice(lines, LINES_AT_ONCE)):
                yield _parsed(some)
    except UNREADABLE as error:
        raise DataError(f"--from {path}: {unpack_error(error, codec)}; nothing of it was taken") from error


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines that aren't blank."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            if line.strip():
                yield line
    if rest.strip():
        yield rest


def _parsed(lines: list[bytes]) -> pl.DataFrame:
    """By the fast parser if it can take every line as it stands, else one by one."""
    try:
        rows = pl.read_ndjson(b"\n".join(lines), schema=SAID)
    except (pl.exceptions.PolarsError, ValueError):
        return _one_by_one(lines)
    if rows.height != len(lines):
        return _one_by_one(lines)
    texts = pl.Series(TEXT, lines, pl.Binary).cast(pl.String, strict=False)
    rows = rows.with_columns(texts, _no_trouble())
    # what the fast parser made nothing of, though the line says something: a number in quotes, say
    lost = [
        pl.col(name).is_null() & pl.col(TEXT).str.contains(_said(name))
        for name in SAID
        if rows.get_column(name).null_count()
    ]
    odd = rows.select(pl.any_horizontal(*lost, pl.col(TEXT).is_null())).to_series()
    if not odd.any():
        return rows
    again = _one_by_one([line for line, is_odd in zip(lines, odd, strict=True) if is_odd])
    order = pl.concat([odd.not_().arg_true(), odd.arg_true()]).rename("order")
    return pl.concat([rows.filter(~odd), again]).with_columns(order).sort("order").drop("order")


def _said(name: str) -> str:
    return rf'"{name}"\s*:\s*[^n\s]'


def _one_by_one(lines: list[bytes]) -> pl.DataFrame:
    rows: list[list[Any]] = []
    for line in lines:
        text = line.decode("utf-8", errors="replace").strip()
        said, trouble = _row_of(text)
        rows.append([*said, text, trouble])
    return pl.DataFrame(rows, schema={**SAID, TEXT: pl.String, TROUBLE: pl.String}, orient="row")


def _row_of(text: str) -> tuple[list[Any], str | None]:
    nothing = [None] * len(SAID)
    try:
        row = json.loads(text)
    except ValueError:
        return nothing, NO_ROW
    if not isinstance(row, dict):
        return nothing, NO_ROW
    try:
        values = [_value(row.get(name), kind) for name, kind in SAID.items()]
    except (TypeError, ValueError, OverflowError):
        # who and what it was about may be told all the same
        return [
            row.get(name) if name in ("decision_id", "slot") and isinstance(row.get(name), str) else None
            for name in SAID
        ], NO_ROW
    return values, None


def _value(value: Any, kind: pl.DataType) -> Any:
    if value is None:
        return None
    if isinstance(kind, pl.List):
        if not isinstance(value, list):
            raise TypeError("no list")
        return [_value(each, cast(pl.DataType, kind.inner)) for each in value]
    if kind == pl.String:
        if isinstance(value, (dict, list, bool)):
            raise TypeError("no text")
        return str(value)
    if isinstance(value, bool):
        raise TypeError("no number")
    if isinstance(value, str) and kind != pl.Int64:
        raise TypeError("no number")
    number = float(value)
    if kind != pl.Int64:
        return number
    whole = int(value)
    if whole != number or not -(2**63) <= whole < 2**63:
        raise ValueError("no whole number")
    return whole


def _of_parquet(path: str) -> Iterator[pl.DataFrame]:
    try:
        with Path(path).open("rb") as file:
            yield from _batches(path, file)
    except (OSError, pa.ArrowInvalid) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"--from {path}: can't be read as Parquet: {reason}; nothing was taken") from error


def _batches(path: str, file: BinaryIO) -> Iterator[pl.DataFrame]:
    parquet = pq.ParquetFile(file)
    names = parquet.schema_arrow.names
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise DataError(f"--from {path}: no column {', '.join(missing)}; it has {', '.join(names)}")
    for batch in parquet.iter_batches(ROWS_AT_ONCE, columns=[name for name in SAID if name in names]):
        rows = pl.from_arrow(batch)
        assert isinstance(rows, pl.DataFrame)
        yield rows.select(_column(path, rows, name, kind) for name, kind in SAID.items()).with_columns(
            pl.lit(None, pl.String).alias(TEXT), _no_trouble()
        )


def _column(path: str, rows: pl.DataFrame, name: str, kind: pl.DataType) -> pl.Series:
    if name not in rows.columns:
        return pl.Series(name, [None], kind).new_from_index(0, rows.height)
    column = rows.get_column(name)
    if name == "decided_at" and isinstance(column.dtype, pl.Datetime):
        zone = column.dtype.time_zone
        column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zone else column
        return column.dt.cast_time_unit("us").dt.strftime("%Y-%m-%dT%H:%M:%S%.6f")
    try:
        return column.cast(kind)
    except pl.exceptions.PolarsError:
        raise DataError(f"--from {path}: column {name} is {column.dtype}, expected {kind}") from None


def _no_trouble() -> pl.Expr:
    return pl.lit(None, pl.String).alias(TROUBLE)


def _typed(rows: pl.DataFrame) -> pl.DataFrame:
    """`decided_at` as a time: ISO's form, UTC if it names no zone; null if it is none."""
    said = rows.get_column("decided_at")
    plain = said.str.replace(_ZULU, "").str.replace(" ", "T", literal=True)
    moments = plain.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False).dt.epoch("us")
    odd = moments.is_null() & said.is_not_null()
    if odd.any():  # another zone, or a day alone: by Python, one by one
        moments = moments.zip_with(~odd, times(said))
    year = pl.col("decided_at").dt.year()
    return rows.with_columns(moments.cast(pl.Datetime("us", "UTC")).alias("decided_at")).with_columns(
        pl.when(year.is_between(2000, 2099)).then("decided_at")
    )
