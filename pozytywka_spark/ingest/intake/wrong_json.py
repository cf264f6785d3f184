"""JSON that isn't one object a line, told by its first lines (stripped, none blank)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from pozytywka_spark.ingest.intake.wrong_kinds import Wrong

_JQ = "turn it into one object a line: jq -c"
ARRAY = Wrong("a JSON array that isn't one object a line", f"{_JQ} '.[]'")
PRETTY_ARRAY = Wrong("a pretty-printed JSON array", f"{_JQ} '.[]'")
PRETTY = Wrong("pretty-printed JSON, an object on several lines", f"{_JQ} .")
CROWDED = Wrong("JSON with several objects on a line", f"{_JQ} .")
TUPLES = Wrong("JSON arrays of values, without names", "write each row as an object with its fields' names")

_NAME = re.compile(rb'"[^"]+"\s*:')
_AROUND = re.compile(rb'\{\s*"([^"]+)"\s*:\s*\[\s*\{')
_LOOKED_AT = 100


def json_of(text: bytes) -> Any:
    """The JSON value that the text is, None if it is none."""
    try:
        return json.loads(text.decode())
    except (ValueError, RecursionError):
        return None


def wrong_array(lines: Sequence[bytes]) -> Wrong | None:
    """What a file is that begins with `[` and is no array with one object a line; None: lines to judge."""
    objects = sum(isinstance(json_of(line), dict) for line in lines[1:_LOOKED_AT])
    if isinstance(json_of(lines[0]), list) and len(lines) > 1:
        alike = sum(line.startswith(b"[") for line in lines[:_LOOKED_AT])
        return TUPLES if alike > objects and not _holds_object(lines[0]) else None
    inside = [line for line in (lines[0][1:].strip(), *lines[1:3]) if line]
    if not inside or inside[0].startswith(b"{"):
        return PRETTY_ARRAY if _is_pretty(inside) else ARRAY
    return TUPLES if inside[0][:1] in b'["-0123456789tfn' else ARRAY


def wrong_objects(lines: Sequence[bytes], head: bytes, fields: Sequence[str]) -> Wrong | None:
    """What a file of JSON is whose lines aren't an object each, if its beginning leaves no doubt."""
    around = _AROUND.match(b"".join(lines[:3])[:1000])
    if around and around[1].decode(errors="replace") not in fields:
        name = around[1].decode(errors="replace")
        return Wrong("one JSON object around all rows", f"{_JQ} '.{name}[]'")
    seen = lines[:_LOOKED_AT]
    if sum(map(_is_crowded, seen)) > len(seen) / 2:
        return CROWDED
    first = lines[0]
    if not first.startswith(b"{") or json_of(first) is not None:
        return None
    return PRETTY if _is_pretty(lines) or _spans_lines(head) else None


def _holds_object(line: bytes) -> bool:
    value = json_of(line)
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def _is_pretty(lines: Sequence[bytes]) -> bool:
    """An object begun on one line, and then a line that begins with a name."""
    return len(lines) > 1 and lines[0].startswith(b"{") and _NAME.match(lines[1]) is not None


def _is_crowded(line: bytes) -> bool:
    """Whether an object ends before the line does, and another begins right behind it."""
    if not line.startswith(b"{"):
        return False
    text = line.decode(errors="replace")
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return text[end:].lstrip(", ;|\t").startswith("{")


def _spans_lines(head: bytes) -> bool:
    text = head.decode("utf-8-sig", errors="replace").lstrip()
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and len(text[:end].splitlines()) > 1
