"""One line as one JSON object, by the letter of RFC 8259: nothing before it, nothing after it.

Python's own parser is strict but for NaN and Infinity, which are refused here. Keys that come twice are
kept, so that whoever reads the object sees both.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from pozytywka_spark.ingest.validate.rules.verdict import Broken

BOM = "\ufeff"
WHITE_SPACE = " \t\r\n"
# Deeper than any row, and shallow enough for functions that call themselves.
MAX_DEPTH = 100

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKETS = re.compile(r"[\[{\]}]")


class Pairs(tuple[tuple[str, Any], ...]):
    """A JSON object as it was written: its keys and values in order, doubled keys and all."""

    __slots__ = ()


class _NoJsonError(ValueError):
    """A word that Python's parser takes and JSON doesn't."""


def _refuse(word: str) -> NoReturn:
    raise _NoJsonError(word)


_DECODER = json.JSONDecoder(object_pairs_hook=Pairs, parse_constant=_refuse)


def read_object(line: bytes, max_line_bytes: int) -> tuple[Pairs, str] | Broken:
    """The object that the line holds, and the line's text; or why it holds none.

    A byte order mark before the object is passed over. Positions in the rule are characters, from 1.
    """
    if len(line) > max_line_bytes:
        return Broken("too_long", f"at most {max_line_bytes} bytes a line")
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        return Broken("invalid_utf8", f"UTF-8; byte {error.start + 1} is not")
    start = 0 if text.startswith("{") else _start(text)
    if text[start : start + 1] != "{":
        return _malformed(_before(text, start))
    if _too_deep(text):
        return _malformed(f"brackets nested more than {MAX_DEPTH} deep")
    try:
        value, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at").removesuffix(" starting").lower()
        return _malformed(f"no JSON at character {error.pos + 1}: {what}")
    except _NoJsonError as error:
        return _malformed(f"no JSON: a bare {error}")
    except RecursionError:
        return _malformed("brackets nested too deep")
    except ValueError:  # Python reads no number of more than 4,300 digits
        return _malformed("a number of thousands of digits")
    if end != len(text):
        rest = text[end:].lstrip(WHITE_SPACE)
        if rest:
            return _malformed(f"text after the object at character {len(text) - len(rest) + 1}")
    return value, text


def _start(text: str) -> int:
    """Where an object may begin: behind a byte order mark and white space."""
    begin = 1 if text.startswith(BOM) else 0
    return len(text) - len(text[begin:].lstrip(WHITE_SPACE))


def _malformed(what: str) -> Broken:
    return Broken("malformed", f"one JSON object a line; {what}")


def _before(text: str, start: int) -> str:
    first = text[start : start + 1]
    if not first:
        return "nothing but white space"
    if first == "[":
        return "an array"
    if first == "\x1e" and "{" in text:
        return "a record separator (RFC 7464) before the object"
    if "{" in text:
        return f"text before the object at character {start + 1}"
    return "no object at all"


def _too_deep(text: str) -> bool:
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _BRACKETS.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False
