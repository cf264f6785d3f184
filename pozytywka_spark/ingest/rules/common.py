"""Rules that several entities share."""

from __future__ import annotations

from typing import Any

from pozytywka_spark.ingest.rules.verdict import Broken


def needed(name: str, value: Any) -> Broken | None:
    """A row without its own identifier is of no use."""
    return Broken(f"missing_{name}", f"{name}: an identifier") if value is None else None


def within(name: str, value: float | None, low: int, high: int) -> Broken | None:
    """Null passes; infinities don't, being beyond every bound."""
    if value is None or low <= value <= high:
        return None
    return Broken("out_of_range", f"{name}: from {low} to {high}")


def first(*broken: Broken | None) -> Broken | None:
    """The first rule of several that is broken."""
    return next((one for one in broken if one is not None), None)
