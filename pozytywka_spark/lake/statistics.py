"""Statistics of a Parquet file, from its footer, as Delta's log holds them: what lets readers skip files.

Format: the Delta protocol's "Per-file Statistics". Bounds may be loose, never too tight.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pyspark.sql import types as T

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PREFIX = 32  # characters of a string bound, as delta-spark cuts them
_MAX_COLUMNS = 32  # as Delta's own default: the log grows with every column
_LAST_BEFORE_SURROGATES, _LAST_SURROGATE, _LAST = 0xD7FF, 0xDFFF, 0x10FFFF

Leaves = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class FileStatistics:
    """Rows of one file; `text` is the JSON that goes into the log."""

    records: int
    text: str


class _Digits(str):
    """A number whose digits must reach the JSON unchanged."""


@lru_cache(maxsize=64)
def leaves(schema: T.StructType, partition_by: tuple[str, ...]) -> Leaves:
    """Parquet path → names of each column, or field of a struct, that gets statistics."""
    paths: dict[str, tuple[str, ...]] = {}

    def visit(field: T.StructField, above: tuple[str, ...]) -> None:
        if "." in field.name:  # its Parquet path would be ambiguous
            return
        if isinstance(field.dataType, T.StructType):
            for child in field.dataType:
                visit(child, (*above, field.name))
        elif not isinstance(field.dataType, (T.ArrayType, T.MapType)) and len(paths) < _MAX_COLUMNS:
            paths[".".join((*above, field.name))] = (*above, field.name)

    for top in schema:
        if top.name not in partition_by:
            visit(top, ())
    return paths


def of_footer(footer: Any, columns: Leaves) -> FileStatistics:
    """What a Parquet footer tells of the columns."""
    lows: dict[str, Any] = {}
    highs: dict[str, Any] = {}
    nulls: dict[str, Any] = {}
    for name, chunks in _chunks(footer, columns).items():
        if any(stats is None or not stats.has_null_count for stats, _ in chunks):
            continue
        _put(nulls, columns[name], sum(stats.null_count for stats, _ in chunks))
        bounds = _bounds(chunks)
        if bounds is not None:
            _put(lows, columns[name], bounds[0])
            _put(highs, columns[name], bounds[1])
    content = {"numRecords": footer.num_rows, "minValues": lows, "maxValues": highs, "nullCount": nulls}
    return FileStatistics(footer.num_rows, _to_json(content))


def _chunks(footer: Any, columns: Leaves) -> dict[str, list[tuple[Any, int]]]:
    """Column → its (statistics, rows) in each row group."""
    chunks: dict[str, list[tuple[Any, int]]] = {}
    for number in range(footer.num_row_groups):
        group, found = footer.row_group(number), 0
        for position in range(group.num_columns):
            chunk = group.column(position)
            if chunk.path_in_schema in columns:
                chunks.setdefault(chunk.path_in_schema, []).append((chunk.statistics, group.num_rows))
                found += 1
            if found == len(columns):  # they come first, and a table of features has a hundred more
                break
    return chunks


def _bounds(chunks: list[tuple[Any, int]]) -> tuple[Any, Any] | None:
    """Lowest and highest value; None if a row group with values doesn't tell (NaN, bytes, INT96)."""
    if any(not stats.has_min_max and stats.null_count < rows for stats, rows in chunks):
        return None
    with_bounds = [stats for stats, _ in chunks if stats.has_min_max]
    if not with_bounds:
        return None
    try:
        low = _bound(min(_value(stats, "min") for stats in with_bounds), highest=False)
        high = _bound(max(_value(stats, "max") for stats in with_bounds), highest=True)
    except (OverflowError, ValueError):  # a date that Python can't hold, such as the year 10000
        return None
    return None if low is None or high is None else (low, high)


def _value(stats: Any, which: str) -> Any:
    """`min` or `max` of a row group, times in microseconds made by ourselves: Arrow loads Pandas for them."""
    if stats.logical_type.type != "TIMESTAMP":
        return getattr(stats, which)
    kind = json.loads(stats.logical_type.to_json())
    if kind["timeUnit"] != "microseconds":
        return getattr(stats, which)
    epoch = _EPOCH if kind["isAdjustedToUTC"] else _EPOCH.replace(tzinfo=None)
    return epoch + timedelta(microseconds=getattr(stats, f"{which}_raw"))


def _bound(value: Any, *, highest: bool) -> Any:
    """One bound in the log's form; None where the log has none for the type."""
    if isinstance(value, datetime):
        return _time_bound(value, highest=highest)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return _Digits(format(value, "f"))
    if isinstance(value, str):
        return _string_bound(value, highest=highest)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _time_bound(value: datetime, *, highest: bool) -> str:
    """To the millisecond, which is all that readers parse: the low bound cut, the high one rounded up."""
    zone = "Z" if value.tzinfo else ""
    moment = value.astimezone(UTC) if value.tzinfo else value
    if highest and moment.microsecond % 1000:
        moment += timedelta(milliseconds=1)
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S').zfill(19)}.{moment.microsecond // 1000:03d}{zone}"


def _string_bound(value: str, *, highest: bool) -> str | None:
    """At most 32 characters; a cut high bound is raised so that it still bounds."""
    if len(value) <= _PREFIX:
        return value
    if not highest:
        return value[:_PREFIX]
    for position in range(_PREFIX - 1, -1, -1):
        code = ord(value[position])
        if code < _LAST:
            following = _LAST_SURROGATE + 1 if code == _LAST_BEFORE_SURROGATES else code + 1
            return value[:position] + chr(following)
    return None


def _put(into: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        into = into.setdefault(name, {})
    into[path[-1]] = value


def _to_json(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_to_json(item)}" for key, item in value.items()) + "}"
    return str(value) if isinstance(value, _Digits) else json.dumps(value)
