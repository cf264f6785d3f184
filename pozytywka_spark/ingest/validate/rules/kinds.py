"""Kinds of fields: is a value of JSON of the type that the contract wants?

Each takes a value (None: null or not there) and gives it back as that type, or `WRONG`. Nothing is
converted that could be meant otherwise: `"7"` is no number, `7.0` no whole one, `true` neither.
"""

from __future__ import annotations

import math
from typing import Any, Final

from pozytywka_spark.ingest.validate.rules.identifiers import stands_for_none
from pozytywka_spark.ingest.validate.rules.writing import as_text

WRONG: Final = object()
_INT, _LONG = 2**31, 2**63


def text(value: Any) -> Any:
    """Text; the number -1, which stands for none, as `"-1"`."""
    if value is None or type(value) is str:
        return value
    return "-1" if type(value) is int and value == -1 else WRONG


def whole(value: Any) -> Any:
    """A whole number of 32 bits."""
    return value if value is None or (type(value) is int and -_INT <= value < _INT) else WRONG


def long(value: Any) -> Any:
    """A whole number of 64 bits."""
    return value if value is None or (type(value) is int and -_LONG <= value < _LONG) else WRONG


def number_key(value: Any) -> Any:
    """A whole number of 64 bits that names something; text that stands for none passes as it is."""
    if value is None or (type(value) is int and -_LONG <= value < _LONG):
        return value
    return value if type(value) is str and stands_for_none(value) else WRONG


def number(value: Any) -> Any:
    """Any number, as a double; one too large for it as infinity, which is beyond every bound."""
    if value is None or type(value) is float:
        return value
    if type(value) is not int:
        return WRONG
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def flag(value: Any) -> Any:
    """True or false."""
    return value if value is None or type(value) is bool else WRONG


def texts(value: Any) -> Any:
    """A list of text; a member of another type as its JSON, as lakes hold it."""
    if value is None:
        return None
    return [as_text(item) for item in value] if type(value) is list else WRONG
