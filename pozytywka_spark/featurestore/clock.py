"""What is now: the newest cut-off of a view's table, or the machine's time. Asked for here alone."""

from __future__ import annotations

import time
from typing import Literal


def now_micros(clock: Literal["data", "wall"], newest: int) -> int:
    """Microseconds since 1970. `newest`: the table's newest cut-off, known as of the delay."""
    return newest if clock == "data" else time.time_ns() // 1000
