"""A month of events in short lines, and what was measured of it."""

from __future__ import annotations

from typing import Any

from pozytywka_spark.features.build.month_kernel import MonthMade

SECOND = 1_000_000


def measured(found: MonthMade, *names: str) -> list[tuple[Any, ...]]:
    return found.measured.select("user_id", *names).sort("user_id").rows()
