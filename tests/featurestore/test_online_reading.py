"""Where reads of the store run."""

from __future__ import annotations

import asyncio
from threading import current_thread, main_thread

import pytest

from pozytywka_spark.featurestore.serve.reading import FEW_KEYS, Reads


class Clock:
    """Tells what it was set to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_reads_run_on_the_loop_until_one_is_slow() -> None:
    clock = Clock()
    reads = Reads(clock)

    def read(seconds: float = 0.0) -> bool:
        """Whether it ran on the loop, which is the main thread's here."""
        clock.now += seconds
        return current_thread() is main_thread()

    async def asked() -> list[bool]:
        found = [
            await reads.run(1, read),
            await reads.run(FEW_KEYS, read),
            await reads.run(FEW_KEYS + 1, read),
        ]
        found.append(await reads.run(1, lambda: read(0.5)))  # slow: from now on others aren't held up
        found.append(await reads.run(1, read))
        clock.now += 9.9
        found.append(await reads.run(1, lambda: read(0.5)))  # still slow, and so for longer
        clock.now += 9.9
        found.append(await reads.run(1, read))
        clock.now += 0.2
        found.append(await reads.run(1, read))
        return found

    assert asyncio.run(asked()) == [True, True, False, True, False, False, False, True]


def test_a_read_that_fails_slowly_counts_as_slow() -> None:
    clock = Clock()
    reads = Reads(clock)

    def fail() -> None:
        clock.now += 1.0
        raise ValueError("no answer")

    async def asked() -> bool:
        with pytest.raises(ValueError, match="no answer"):
            await reads.run(1, fail)
        return await reads.run(1, lambda: current_thread() is main_thread())

    assert asyncio.run(asked()) is False
