"""Lakes as a process leaves them that is killed: they break where they are told to, or are copied there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pozytywka_spark.lake import Lake
from pozytywka_spark.schemas import Table

WRITES = ("append", "overwrite", "replace_partitions", "upsert")
OF_INGEST = ("append", "upsert", "replace_partitions", "rewrite")


class BrokenError(Exception):
    """The process died."""


@dataclass
class _WatchedLake:
    """A lake whose writes go through `_write`. `counted`: the methods that are writes."""

    lake: Lake
    counted: tuple[str, ...] = field(default=WRITES, kw_only=True)
    tables: list[str] = field(default_factory=list, init=False)  # of each write

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.lake, name)
        if name not in self.counted:
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            self.tables += [each.name for each in args if isinstance(each, Table)]
            return self._write(partial(method, *args, **kwargs))

        return call

    def _write(self, write: Callable[[], Any]) -> Any:
        raise NotImplementedError


@dataclass
class BreakingLake(_WatchedLake):
    """A lake whose process dies at one of its writes: before it, or after it was committed."""

    breaks_at: int = 0
    after: bool = False
    writes: int = field(default=0, init=False)

    def _write(self, write: Callable[[], Any]) -> Any:
        self.writes += 1
        due = self.writes == self.breaks_at
        if due and not self.after:
            raise BrokenError
        result = write()
        if due:
            raise BrokenError
        return result


@dataclass
class CopiedLake(_WatchedLake):
    """A lake whose folder is copied before each write: as a process leaves it that is killed there.

    What one leaves that is killed behind a write is what the next copy shows, or the end.
    """

    copies: list[Path] = field(default_factory=list, init=False)

    def _write(self, write: Callable[[], Any]) -> Any:
        copy = Path(f"{self.lake.root} broken at {len(self.copies)}")
        shutil.copytree(self.lake.root, copy)
        self.copies.append(copy)
        return write()
