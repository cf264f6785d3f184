"""Months' own events as their files note them, so that whoever asks what has changed reads no event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from pozytywka_spark.errors import DataError
from pozytywka_spark.hashing.fingerprints import LONG, fingerprint_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.event_notes import NOTE, EventNote, as_note, together
from pozytywka_spark.lake.partitions import of_path
from pozytywka_spark.lake.shards import DataFile, Shard
from pozytywka_spark.lake.tasks import Tasks

# of events, for the engine that puts rows down for tasks: what any of them reads
_COLUMNS = ("event_id", "event_time", "event_type", "user_id", "session_id", "track_id")
_MOST_DAYS = 31


@dataclass(frozen=True)
class MonthEvents:
    """A month's own events: their number and content, the last one's time in microseconds, their files, and
    how many there are on each day, the first of the month's first."""

    month: date
    event_count: int
    event_hash: str
    last_event: int
    files: str
    days: tuple[int, ...]

    @property
    def by_day(self) -> dict[date, int]:
        """Events of each day that has any."""
        return {self.month + timedelta(days=n): events for n, events in enumerate(self.days) if events}

    def says_the_same(self, other: MonthEvents | None) -> bool:
        """Whether the events are those of `other`, in whichever files."""
        return other is not None and (self.event_count, self.event_hash) == (
            other.event_count,
            other.event_hash,
        )


@dataclass
class EventShards:
    """The lake's events by month, each month's files looked up once."""

    lake: Lake
    tasks: Tasks
    found: dict[date, list[Shard]] = field(default_factory=dict)

    def of(self, months: Sequence[date]) -> list[Shard]:
        """The shards of these months, in order of months and buckets."""
        missing = [month for month in months if month not in self.found]
        if missing:
            self.found |= {month: [] for month in missing}
            partitions = [{"event_month": month} for month in missing]
            for shard in self.lake.shards("events", self.tasks, partitions, _COLUMNS):
                self.found[shard.partition["event_month"]].append(shard)
        return [shard for month in sorted(months) for shard in self.found[month]]


def notes_of(lake: Lake, shards: Sequence[Shard]) -> tuple[dict[str, EventNote], list[DataFile]]:
    """What the files of shards note, by place, and the files that note nothing."""
    files = [file for shard in shards for file in shard.files]
    noted = {
        file.place: as_note(notes[NOTE])
        for file, notes in zip(files, lake.noted(files), strict=True)
        if NOTE in notes
    }
    return noted, [file for file in files if file.place not in noted]


def months_of(
    shards: Sequence[Shard], notes: Mapping[str, EventNote], files: Mapping[date, str]
) -> dict[date, MonthEvents]:
    """The events of each month of `files` (`files_by_month`) that all files of `shards` have a note of.

    Raises `DataError` for events of a month that isn't their partition's.
    """
    by_month: dict[date, list[str]] = {month: [] for month in files}
    for shard in shards:
        by_month[shard.partition["event_month"]] += [file.place for file in shard.files]
    return {
        month: _month(month, together(notes[place] for place in places), files[month])
        for month, places in by_month.items()
        if all(place in notes for place in places)
    }


def files_by_month(paths: Iterable[str]) -> dict[date, str]:
    """A digest of the names of each month's files; files are never written twice."""
    names: dict[date, list[str]] = {}
    for path in paths:
        month = date.fromisoformat(str(of_path(path)["event_month"]))
        names.setdefault(month, []).append(path.rpartition("/")[2])
    return {month: digest(*sorted(names_of_month)) for month, names_of_month in names.items()}


def digest(*parts: object) -> str:
    """SHA-256 of JSON values."""
    return fingerprint_of(parts, LONG)


def _month(month: date, note: EventNote, files: str) -> MonthEvents:
    days = [0] * _MOST_DAYS
    for day, events in note.days.items():
        if day.replace(day=1) != month:
            raise DataError(f"table events: the partition of {month:%Y-%m} has events of {day}")
        days[day.day - 1] = events
    return MonthEvents(month, note.events, f"{note.content:032x}", note.last, files, tuple(days))
