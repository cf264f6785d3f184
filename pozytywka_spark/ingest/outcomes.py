"""The outcome of a raw row: kept, repaired, duplicate or quarantined; exactly one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

KEPT, REPAIRED, DUPLICATE, QUARANTINED = "kept", "repaired", "duplicate", "quarantined"
OUTCOMES = (KEPT, REPAIRED, DUPLICATE, QUARANTINED)

# No outcome: what was seen of raw rows, whatever became of them; counted beside the outcomes.
NOTED = "noted"
# a note on a text: nothing is known of its writer, so their name may stand in it
UNKNOWN_NAME = "unknown name"

# Reasons of duplicates.
SAME_ROW = "same_row"
OLDER_ROW = "older_row"
INCOMPLETE_COPY = "incomplete_copy"
QUARANTINED_BEFORE = "quarantined_before"

# Reasons of events that their session couldn't complete; it may once more of it has arrived.
UNRESOLVED = ("unknown_user", "unknown_event", "unknown_track")

# How tasks tell what became of rows: [outcome, reason, month of new events as YYYY-MM-DD, rows]
COUNTS = "counts"


def count(outcome: str, reason: str | None, rows: int, month: date | None = None) -> list[list[Any]]:
    """`COUNTS` of rows that all had one fate; of no rows, none."""
    return [[outcome, reason, None if month is None else month.isoformat(), rows]] if rows else []


def summed(results: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What tasks told by `COUNTS`, together: outcome, reason, event_month (a date) and rows."""
    totals: Counter[tuple[str, str | None, str | None]] = Counter()
    for facts in results:
        for outcome, reason, month, rows in facts.get(COUNTS, ()):
            totals[outcome, reason, month] += rows
    return [
        {
            "outcome": outcome,
            "reason": reason,
            "event_month": None if month is None else date.fromisoformat(month),
            "rows": rows,
        }
        for (outcome, reason, month), rows in sorted(totals.items(), key=repr)
    ]
