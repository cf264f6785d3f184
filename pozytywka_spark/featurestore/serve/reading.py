"""Where a read of the store runs: on the event loop while the store is quick, else on a thread.

Handing a read to a thread and back takes longer than the read. A store that is slow or doesn't answer would
hold up everybody, though: one such read, and reads go to threads until the store has been quick for a while.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from fastapi.concurrency import run_in_threadpool

T = TypeVar("T")
FEW_KEYS = 20  # what is decoded of more takes as long as handing it over
_SLOW = 0.02  # seconds of a read of few keys, from which on a store counts as slow
_DISTRUST = 10.0  # seconds that it does


class Reads:
    """Runs reads; used from the event loop alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._slow_until = clock()

    async def run(self, keys: int, read: Callable[[], T]) -> T:
        """What `read` of so many keys gives."""
        if keys > FEW_KEYS or self._clock() < self._slow_until:
            return await run_in_threadpool(self._watched, read)
        return self._watched(read)

    def _watched(self, read: Callable[[], T]) -> T:
        started = self._clock()
        try:
            return read()
        finally:
            ended = self._clock()
            if ended - started > _SLOW:
                self._slow_until = ended + _DISTRUST
