"""Timestamps that are numbers: in which unit of time since 1970, where a whole file leaves one answer.

The unit is told by size, for the ranges of seconds, milliseconds and microseconds from 2000 to before 2100
share no number. It is certain only if every timestamp of the file lies in the same range.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pozytywka_spark.lake.arrow_bytes import binary_array

FIELD = "timestamp"
MIXED = "mixed"
_FIRST, _BEYOND = 946_684_800, 4_102_444_800  # seconds: 2000-01-01 and 2100-01-01
_SCALES = {"s": 1, "ms": 1_000, "us": 1_000_000}
_DIGITS = re.compile(r"[0-9]{9,16}")
# A sound line shows its timestamp at once; any other is read as JSON
_SHOWN = r'^\s*\{[^{}\[\]\\]*"timestamp"\s*:\s*(?:"(?P<text>[0-9]{9,16})"|(?P<number>[0-9]{9,16}))\s*[,}]'


def unit_of(number: int) -> str | None:
    """`s`, `ms` or `us` if the number is a moment from 2000 to before 2100 in that unit."""
    for unit, scale in _SCALES.items():
        if _FIRST * scale <= number < _BEYOND * scale:
            return unit
    return None


def unit_of_value(value: object) -> str | None:
    """The unit of a field's value: a whole number, or text of nothing but digits."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return unit_of(value)
    return None


def unit_of_rows(rows: Sequence[object]) -> str | None:
    """The one unit of all rows that have a timestamp; None if they have none, or not all the same."""
    values = [row[FIELD] for row in rows if isinstance(row, dict) and row.get(FIELD) is not None]
    units = {unit_of_value(value) for value in values}
    return units.pop() if len(units) == 1 else None


def unit_of_lines(texts: list[bytes]) -> str | None:
    """The unit that all lines with a timestamp share, `mixed` if they don't; None if none has one.

    Lines that are no JSON, or whose timestamp is null, tell nothing: they are judged by themselves.
    """
    # a key that is there twice would show one of its values only; such a line is never taken in
    shown = pc.extract_regex(binary_array(texts), pattern=_SHOWN)
    digits = pc.if_else(
        pc.equal(pc.struct_field(shown, "text"), b""),
        pc.struct_field(shown, "number"),
        pc.struct_field(shown, "text"),
    )
    numbers = digits.drop_null().cast(pa.string()).cast(pa.int64())
    units = set()
    if len(numbers):
        ends = pc.min_max(numbers).as_py()
        low, high = unit_of(ends["min"]), unit_of(ends["max"])
        units.add(low if low is not None and low == high else MIXED)
    units |= _units_read(
        text for text, there in zip(texts, shown.is_valid().to_pylist(), strict=True) if not there
    )
    if len(units) > 1:
        return MIXED
    return units.pop() if units else None


def together(units: Iterable[str | None]) -> str | None:
    """The unit of a whole of the units of its parts."""
    distinct = {unit for unit in units if unit is not None}
    return distinct.pop() if len(distinct) == 1 else (MIXED if distinct else None)


def _units_read(texts: Iterable[bytes]) -> set[str]:
    units: set[str] = set()
    for text in texts:
        try:
            row = json.loads(text.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict) and row.get(FIELD) is not None:
            units.add(unit_of_value(row[FIELD]) or MIXED)
            if MIXED in units:
                break
    return units
