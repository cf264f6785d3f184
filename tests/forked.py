"""Processes to be killed or to race: forked from one that has the libraries already, in milliseconds.

None of them has run a query before it is forked: a fork of a process that has used Polars would hang.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

LOADED = ["tests.featurestore.load_once", "tests.lake.committing_child", "tests.moderation.killed_child"]
SECONDS = 600  # none takes so long


@dataclass(frozen=True)
class Forked:
    """A process and the pipe to it."""

    process: ForkServerProcess
    pipe: Connection

    def tell(self, word: str) -> None:
        self.pipe.send(word)

    def hear(self) -> Any:
        """The next that it tells."""
        if not self.pipe.poll(SECONDS):
            raise AssertionError("it tells nothing")
        return self.pipe.recv()

    def has_told(self, word: str) -> bool:
        """Whether that is what waits to be heard."""
        try:
            return bool(self.pipe.poll() and self.pipe.recv() == word)
        except EOFError:  # nothing does: it is dead
            return False

    def kill(self) -> None:
        """By SIGKILL, with all that it started."""
        assert self.process.pid is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.join(SECONDS)


@contextmanager
def forked(work: Callable[..., None], *arguments: Any) -> Iterator[Forked]:
    """A process that runs `work(pipe, *arguments)`, of a module in `LOADED`; it ends with the block."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    here, there = context.Pipe()
    process = context.Process(target=_run, args=(work, there, *arguments))
    process.start()
    there.close()
    one = Forked(process, here)
    try:
        assert one.hear() == "begun"
        yield one
    finally:
        if process.is_alive():
            one.kill()
        here.close()


def _run(work: Callable[..., None], pipe: Connection, *arguments: Any) -> None:
    os.setsid()  # so that a kill reaches whatever it starts
    pipe.send("begun")
    work(pipe, *arguments)
