"""A file as a listing of its folder shows it: path, size, time; nothing of it is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ListedFile:
    """A version of a file: the same path with another size or time is another version."""

    path: str
    size: int
    modified: datetime  # to the millisecond or finer, naive, in the machine's zone, as Spark gives times

    @property
    def modified_micros(self) -> int:
        """The same as microseconds since the epoch."""
        return micros_of(self.modified)


def micros_of(moment: datetime) -> int:
    """Microseconds since the epoch; a moment without a zone is in the machine's."""
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond


def naive_time(micros: int) -> datetime:
    """Microseconds since the epoch as Spark hands timestamps to Python: naive, in the machine's zone."""
    seconds, rest = divmod(micros, 1_000_000)
    return datetime.fromtimestamp(seconds).replace(microsecond=rest)


def is_hidden(relative: str) -> bool:
    """Whether a path below a listed folder is one that Spark's sources pass over."""
    return any(
        part.startswith(".") or (part.startswith("_") and "=" not in part) or part.endswith("._COPYING_")
        for part in relative.split("/")
    )
