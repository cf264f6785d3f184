"""Schemas from DDL text without a session: tables are declared at import, and Spark's parser needs a JVM."""

from __future__ import annotations

import re

from pyspark.sql import types as T

_SIMPLE: dict[str, T.DataType] = {
    "string": T.StringType(),
    "boolean": T.BooleanType(),
    "tinyint": T.ByteType(),
    "smallint": T.ShortType(),
    "int": T.IntegerType(),
    "bigint": T.LongType(),
    "float": T.FloatType(),
    "double": T.DoubleType(),
    "date": T.DateType(),
    "timestamp": T.TimestampType(),
    "timestamp_ntz": T.TimestampNTZType(),
    "binary": T.BinaryType(),
}
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")
_FIELD = re.compile(r"`?(\w+)`?(?:\s*:\s*|\s+)(.+?)(\s+not\s+null)?", re.IGNORECASE | re.DOTALL)


def parse_ddl(text: str) -> T.StructType:
    """`"user_id bigint not null, genres array<string>"` as a schema, as Spark itself would read it.

    Raises `ValueError` naming the part that is no column or type.
    """
    return T.StructType([_field(part) for part in _split(text)])


def _field(text: str) -> T.StructField:
    match = _FIELD.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r}: expected a column's name and type")
    return T.StructField(match[1], _type(match[2]), match[3] is None)


def _type(text: str) -> T.DataType:
    kind = text.strip().lower()
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    decimal = _DECIMAL.fullmatch(kind)
    if decimal:
        return T.DecimalType(int(decimal[1]), int(decimal[2]))
    outer, _, inner = text.strip().partition("<")
    if inner.endswith(">"):
        parts = _split(inner[:-1])
        if outer.lower() == "array" and len(parts) == 1:
            return T.ArrayType(_type(parts[0]))
        if outer.lower() == "map" and len(parts) == 2:
            return T.MapType(_type(parts[0]), _type(parts[1]))
        if outer.lower() == "struct":
            return T.StructType([_field(part) for part in parts])
    raise ValueError(f"{text.strip()!r}: no such type")


def _split(text: str) -> list[str]:
    """The parts between commas that stand in no brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]
