"""The purge at its boundary: a horizon may end at the first cut-off of the side after it, and no later."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pozytywka_spark.dataset.splits import MonthCount
from pozytywka_spark.dataset.table_guards import check_table
from pozytywka_spark.errors import GuardError
from pozytywka_spark.months import TimeSplit

MONTHS = (date(2023, 1, 1), date(2023, 2, 1), date(2023, 3, 1))
SPLIT = TimeSplit(*((month,) for month in MONTHS))
COUNTS = [MonthCount(month, 1, 0) for month in MONTHS]
LATER = 1_000_000


def told(side: int, cut_off: int, horizon: int) -> dict[str, Any]:
    """A month of one row, times in microseconds."""
    row = {"side": side, "rows": 1, "labels": 1, "keys": 1, "last_user": 7, "month": MONTHS[side].isoformat()}
    return row | {"first_cut_off": cut_off, "last_horizon": horizon}


def test_a_horizon_may_end_at_the_next_sides_first_cut_off() -> None:
    rest = [told(1, 5, LATER), told(2, LATER, LATER)]
    check_table([told(0, 1, 5), *rest], COUNTS, SPLIT)
    with pytest.raises(GuardError, match="guard purge: train row user 7, month 2023-01 has a horizon up to"):
        check_table([told(0, 1, 6), *rest], COUNTS, SPLIT)
