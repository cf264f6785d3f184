"""Names of runs: what was done, which model version came of it, with which months."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

_UNKNOWN = "?"


def span(months: Sequence[date | str]) -> str:
    """`2022-01..2022-12`; one month alone as itself."""
    ordered = sorted(f"{month:%Y-%m}" if isinstance(month, date) else month for month in months)
    if not ordered:
        return _UNKNOWN
    return ordered[0] if ordered[0] == ordered[-1] else f"{ordered[0]}..{ordered[-1]}"


def training_name(
    months: Sequence[date | str], model: str, *, tuned: bool, version: int | None = None
) -> str:
    """`train v3 tuned · 2022-01..2022-12 · xgboost`; no version before one is registered.

    What tells runs apart comes first: the UI's table shows some twenty characters of a name.
    """
    number = "" if version is None else f" v{version}"
    return f"train{number}{' tuned' if tuned else ''} · {span(months)} · {model}"


def monitoring_name(months: Sequence[date | str], version: int) -> str:
    """`monitor v3 · 2023-01..2023-02`."""
    return f"monitor v{version} · {span(months)}" if months else f"monitor v{version}"
