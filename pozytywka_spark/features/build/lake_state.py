"""The lake as it is now, beside what the last run recorded of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pozytywka_spark.features.build.event_months import (
    EventShards,
    MonthEvents,
    files_by_month,
    months_of,
    notes_of,
)
from pozytywka_spark.features.build.state_tables import Known, catalogue_files
from pozytywka_spark.features.build.texts import NO_QUEUES, Queues
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.event_notes import EventNote
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import Tasks


@dataclass(frozen=True)
class Look:
    """`files` of events by month, `catalogue` tables' files, as digests of names; of the months whose files
    are new: the `notes` by their places, and the files `unnoted`.

    Files never change, so months that lie in the files they were known by are as they were.
    """

    known: Known
    shards: EventShards
    files: Mapping[date, str]
    catalogue: Mapping[str, str]
    notes: Mapping[str, EventNote]
    unnoted: tuple[DataFile, ...]

    @property
    def new(self) -> list[date]:
        """Months whose files are others than they were known by."""
        return _new(self.known, self.files)

    def events(self, more: Mapping[str, EventNote]) -> dict[date, MonthEvents]:
        """Every month's events; left out are those with a file that has no note, in `more` neither."""
        files = {month: self.files[month] for month in self.new}
        months = months_of(self.shards.of(self.new), {**self.notes, **more}, files)
        unchanged = {
            month: events
            for month, events in self.known.events.items()
            if self.files.get(month) == events.files
        }
        return dict(sorted((unchanged | months).items()))

    def changed(self, events: Mapping[date, MonthEvents]) -> list[date]:
        """Months whose events, as `events` tells them, may be others than they were."""
        return [
            month
            for month in self.new
            if month not in events or not events[month].says_the_same(self.known.events.get(month))
        ]

    @property
    def gone(self) -> list[date]:
        """Months that had events and have none."""
        return sorted(set(self.known.events) - set(self.files))

    @property
    def catalogue_may_differ(self) -> bool:
        """Whether a catalogue table lies in other files than it was known by."""
        before = self.known.catalogue
        return any(
            name not in before or before[name].files != files for name, files in self.catalogue.items()
        )


def look_at(
    lake: Lake, tasks: Tasks, known: Known, needed: Sequence[str] = (), queues: Queues = NO_QUEUES
) -> Look:
    """Look: at the logs, and at the footers of files that are new. `needed`: tables beside those that every
    lake has; signals of texts are read by `queues`."""
    # before the shards: were files listed after them, a delivery in between would count as read
    files = files_by_month(lake.files("events"))
    shards = EventShards(lake, tasks)
    notes, unnoted = notes_of(lake, shards.of(_new(known, files)))
    return Look(known, shards, files, catalogue_files(lake, needed, queues), notes, tuple(unnoted))


def _new(known: Known, files: Mapping[date, str]) -> list[date]:
    return sorted(
        month
        for month, names in files.items()
        if month not in known.events or known.events[month].files != names
    )
