"""What runs are called: what was done, with which months, and which model version came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

_UNKNOWN = "?"


def span(months: Sequence[date | str]) -> str:
    """`2022-01..2022-12`; one month alone as itself."""
    found = sorted(f"{month:%Y-%m}" if isinstance(month, date) else month for month in months)
    if not found:
        return _UNKNOWN
    return found[0] if found[0] == found[-1] else f"{found[0]}..{found[-1]}"


def training_name(
    months: Sequence[date | str], model: str, *, tuned: bool, version: int | None = None
) -> str:
    """`train 2022-01..2022-12 · xgboost tuned · v3`; no version before one is registered."""
    parts = [f"train {span(months)}", f"{model} tuned" if tuned else model]
    return " · ".join([*parts, *([f"v{version}"] if version is not None else [])])


def monitoring_name(months: Sequence[date | str], version: int) -> str:
    """`monitor 2023-01..2023-02 · v3`."""
    return f"monitor {span(months)} · v{version}" if months else f"monitor · v{version}"
