"""Values of JSON as text again: compact, with fractions as Java writes them, for so lakes hold them."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

from pozytywka_spark.ingest.validate.rules.reading import Pairs


def as_json(value: Any) -> str:
    """A value of `reading` as JSON in one line; doubled keys stay doubled."""
    if isinstance(value, Pairs):
        return "{" + ",".join(f"{as_json(key)}:{as_json(item)}" for key, item in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(as_json, value)) + "]"
    if isinstance(value, float):
        return number_text(value)
    return json.dumps(value, ensure_ascii=False)


def as_text(value: Any) -> str | None:
    """A value where text is wanted: text as it is, null as none, anything else as JSON."""
    return value if value is None or isinstance(value, str) else as_json(value)


def number_text(number: float) -> str:
    """A double as text: `0.5`, `100000.0`, `1.0E7`; what is too large for one as `"Infinity"`."""
    if math.isinf(number):
        return '"Infinity"' if number > 0 else '"-Infinity"'
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(number)
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    rest = "".join(map(str, digits[1:])) or "0"
    return f"{'-' * sign}{digits[0]}.{rest}E{int(exponent) + len(digits) - 1}"
