"""What is known of a raw file without reading it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class RawFile:
    """A version of a file: the same path with another size or time is another version."""

    path: str
    size: int
    modified: datetime
