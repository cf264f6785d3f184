"""A lake that breaks where it is told to, as a process that is killed there."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pozytywka_spark.lake import Lake
from pozytywka_spark.schemas import Table

WRITES = ("append", "overwrite", "replace_partitions", "upsert")
OF_INGEST = ("append", "upsert", "replace_partitions", "rewrite")


class BrokenError(Exception):
    """The process died."""


@dataclass
class BreakingLake:
    """A lake whose process dies at one of its writes: before it, or after it was committed.

    `counted`: the methods that are writes.
    """

    lake: Lake
    breaks_at: int = 0
    after: bool = False
    counted: tuple[str, ...] = WRITES
    writes: int = 0
    tables: list[str] = field(default_factory=list)  # of each write

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.lake, name)
        if name not in self.counted:
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            self.writes += 1
            self.tables += [each.name for each in args if isinstance(each, Table)]
            due = self.writes == self.breaks_at
            if due and not self.after:
                raise BrokenError
            result = method(*args, **kwargs)
            if due:
                raise BrokenError
            return result

        return call


@dataclass
class CopiedLake:
    """A lake whose folder is copied before each write: as a process leaves it that is killed there.

    What one leaves that is killed behind a write is what the next copy shows, or the end.
    """

    lake: Lake
    copies: list[Path] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)  # of each write

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.lake, name)
        if name not in WRITES:
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            copy = Path(f"{self.lake.root} broken at {len(self.copies)}")
            shutil.copytree(self.lake.root, copy)
            self.copies.append(copy)
            self.tables += [each.name for each in args if isinstance(each, Table)]
            return method(*args, **kwargs)

        return call
