"""Features of texts again, a user's month at a time in plain Python, sharing no code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

Rows = Sequence[Mapping[str, Any]]
Made = dict[tuple[int, date], dict[str, float | None]]


def text_features(signals: Rows, months: Sequence[tuple[int, date]]) -> Made:
    """By user and month, of the given ones."""
    return {key: _of_month(signals, *key) for key in months}


def _of_month(signals: Rows, user: int, month: date) -> dict[str, float | None]:
    def since(months: int) -> list[Mapping[str, Any]]:
        return [
            row
            for row in signals
            if row["user_id"] == user
            and not row["spam"]
            and 0 <= _apart(row["feedback_time"], month) < months
        ]

    def felt(months: int) -> list[tuple[datetime, float]]:
        known = [row for row in since(months) if row["sentiment"] is not None]
        return sorted((row["feedback_time"], -row["sentiment"]) for row in known)

    def in_queue(months: int, queue: str) -> int:
        return len([row for row in since(months) if row["queue_best"] == queue])

    last = felt(12)
    made: dict[str, float | None] = {"last_sentiment_last_12_months": -last[-1][1] if last else None}
    for months in (3, 12):
        made[f"texts_written_last_{months}_months"] = len(since(months))
        made[f"worst_sentiment_last_{months}_months"] = min((-low for _, low in felt(months)), default=None)
        made[f"asked_about_price_last_{months}_months"] = in_queue(months, "payment")
        made[f"complained_of_adverts_last_{months}_months"] = in_queue(months, "adverts")
    return made


def _apart(time: datetime, month: date) -> int:
    return (month.year - time.year) * 12 + month.month - time.month
