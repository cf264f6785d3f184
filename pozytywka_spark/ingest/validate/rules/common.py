"""Rules that several entities share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pozytywka_spark.ingest.validate.rules.verdict import Broken, Row


def needed(name: str, value: Any) -> Broken | None:
    """A row without its own identifier is of no use."""
    return Broken(f"missing_{name}", f"{name}: an identifier") if value is None else None


def beyond(row: Row, bounds: Mapping[str, tuple[int, int]]) -> Broken | None:
    """The first field out of its bounds, both included. Null is in; infinities are beyond every bound."""
    for name, (low, high) in bounds.items():
        value = row[name]
        if value is not None and not low <= value <= high:
            return Broken("out_of_range", f"{name}: from {low} to {high}")
    return None


def first(*broken: Broken | None) -> Broken | None:
    """The first rule of several that is broken."""
    return next((one for one in broken if one is not None), None)
