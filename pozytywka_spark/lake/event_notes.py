"""Notes in data files of events: number, content and days of the rows, so that nobody reads them to know.

The content is the sum of the event ids as 128-bit numbers (big-endian, modulo 2^128): equal for the same
events in any order and any files, and the sum of two files' contents is that of both. No Spark here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import polars as pl

NOTE = "events"  # the note's name in a file's footer
COLUMNS = ("event_id", "event_time")  # what it tells of
_DAY_MICROS = 86_400_000_000
_EPOCH = date(1970, 1, 1)
_ID_BYTES = 16
_BITS = 128


@dataclass(frozen=True)
class EventNote:
    """How many events, their content, the last one's time in microseconds, and how many a UTC day has."""

    events: int = 0
    content: int = 0
    last: int = 0
    days: Mapping[date, int] = field(default_factory=dict)

    def as_text(self) -> str:
        """The note as it is kept."""
        days = {day.isoformat(): self.days[day] for day in sorted(self.days)}
        note = {"events": self.events, "content": f"{self.content:032x}", "last": self.last, "days": days}
        return json.dumps(note)


def as_note(text: str) -> EventNote:
    """A note from what `as_text` made of it."""
    note = json.loads(text)
    days = {date.fromisoformat(day): events for day, events in note["days"].items()}
    return EventNote(note["events"], int(note["content"], 16), note["last"], days)


def note_of(rows: pl.DataFrame) -> EventNote:
    """The note of events, of their `event_id` and `event_time`."""
    if not rows.height:
        return EventNote()
    times = rows["event_time"].dt.epoch("us").to_numpy()
    days = times // _DAY_MICROS
    first = int(days.min())
    counts = np.bincount(days - first)
    by_day = {_EPOCH + timedelta(days=first + int(n)): int(counts[n]) for n in np.flatnonzero(counts)}
    return EventNote(rows.height, _content(rows["event_id"]), int(times.max()), by_day)


def together(notes: Iterable[EventNote]) -> EventNote:
    """The note of all files' events from those of each."""
    events = content = last = 0
    days: dict[date, int] = {}
    for note in notes:
        last = max(last, note.last) if events else note.last
        events += note.events
        content = (content + note.content) % (1 << _BITS)
        for day, count in note.days.items():
            days[day] = days.get(day, 0) + count
    return EventNote(events, content, last, days)


def _content(ids: pl.Series) -> int:
    """The sum of the ids modulo 2^128; one that isn't of 16 bytes counts by its MD5."""
    if ids.bin.size().eq(_ID_BYTES).all() and not ids.null_count():
        array = ids.rechunk().to_arrow()
        # the bytes lie behind each other: what is sliced off counts by the offset
        start = array.offset * _ID_BYTES if array.offset else 0
        joined = memoryview(array.buffers()[2])[start : start + len(ids) * _ID_BYTES]
    else:
        joined = memoryview(b"".join(map(_sixteen, ids.to_list())))
    # four numbers of 32 bits each: their sums can't overflow 64 bits below four thousand million events
    words = np.frombuffer(joined, dtype=">u4").reshape(-1, 4)
    total = 0
    for place in range(4):
        total = (total << 32) + int(words[:, place].sum(dtype=np.uint64))
    return total % (1 << _BITS)


def _sixteen(event_id: bytes | None) -> bytes:
    if event_id is not None and len(event_id) == _ID_BYTES:
        return event_id
    return hashlib.md5(event_id or b"").digest()  # noqa: S324 an identity, no secret
