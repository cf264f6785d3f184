"""Readings as short tables and sentences, for the terminal and the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def month_table(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Shares side by side: of a month, or since the start."""
    return [
        {
            "month": f"{row['month']:%Y-%m}",
            "group": row["group"],
            "users": row["users"],
            "bought": row["purchases"],
            "premium": percent(row["share"]),
            "control users": row["control_users"],
            "control bought": row["control_purchases"],
            "control premium": percent(row["control_share"]),
        }
        for row in rows
    ]


def difference_table(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The difference in points with its interval for one look and, since the start, for every look."""
    return [
        {
            "month": f"{row['month']:%Y-%m}",
            "group": row["group"],
            "points": points(row["difference"]),
            "one look": span(row, "low", "high"),
            "p, one look": p_value(row["p_adjusted"]),
            **(
                {
                    "every look": span(row, "always_low", "always_high"),
                    "p, every look": p_value(row["always_p"]),
                }
                if "always_p" in row
                else {}
            ),
        }
        for row in rows
    ]


def cuped_table(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The difference with the noise of the time before taken out."""
    return [
        {
            "month": f"{row['month']:%Y-%m}",
            "group": row["group"],
            "points": points(row["difference"]),
            "interval": span(row, "low", "high"),
            "CUPED points": points(row["cuped_difference"]),
            "CUPED interval": span(row, "cuped_low", "cuped_high"),
            "width": percent(row["cuped_width"]),
        }
        for row in rows
    ]


def segment_table(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A line a segment."""
    return [
        {
            "value": row["value"],
            "group": row["group"],
            "users": row["users"],
            "control": row["control_users"],
            "points": points(row["difference"]),
            "interval": span(row, "low", "high"),
            "p": p_value(row["p_adjusted"]),
        }
        for row in rows
    ]


def lift_table(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The relative difference with its interval."""
    return [
        {
            "month": f"{row['month']:%Y-%m}",
            "group": row["group"],
            "lift": percent(row["lift"], signed=True),
            "interval": " to ".join(percent(row[end], signed=True) for end in ("lift_low", "lift_high")),
        }
        for row in rows
    ]


def verdict(row: Row) -> str:
    """What the last look at a treatment says, in a sentence that may be believed at any look."""
    band = f"{span(row, 'always_low', 'always_high')} points, whenever one looks"
    where = f"{row['group']}, {row['month']:%Y-%m}: premium share {points(row['difference'])} points"
    if row["always_low"] > 0:
        return f"{where} ({band}): more buy than in control"
    if row["always_high"] < 0:
        return f"{where} ({band}): fewer buy than in control"
    return f"{where} ({band}): no difference is shown at this look"


def points(value: float) -> str:
    """A difference of shares in percentage points."""
    return "–" if math.isnan(value) else f"{100 * value:+.2f}"


def percent(value: float, *, signed: bool = False) -> str:
    """A share in percent."""
    if math.isnan(value):
        return "–"
    return f"{100 * value:+.1f}%" if signed else f"{100 * value:.2f}%"


def p_value(value: float) -> str:
    """A p-value to three digits."""
    if math.isnan(value):
        return "–"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def span(row: Row, low: str, high: str) -> str:
    """An interval in points."""
    return f"{points(row[low])} to {points(row[high])}"
