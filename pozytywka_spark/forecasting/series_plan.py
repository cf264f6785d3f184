"""What series are made of, beside what they were last made of: which months to make anew."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.features.build.event_months import (
    EventShards,
    MonthEvents,
    digest,
    files_by_month,
    months_of,
    notes_of,
)
from pozytywka_spark.features.build.survey import PLACE, TOLD, survey
from pozytywka_spark.forecasting.complete_days import CompleteDays, complete_days
from pozytywka_spark.forecasting.sides import TRACKS, USERS
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.data_span import DataSpan, span_of
from pozytywka_spark.lake.event_notes import as_note
from pozytywka_spark.lake.layout import buckets_of
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import Tasks

FORMAT = 1
GROUPS = schemas.GENRE_GROUPS.name
# What is read of the tables beside events
READ: Mapping[str, Sequence[str]] = {
    "users": ["user_id", "city"],
    "tracks": ["id", "duration_ms", "id_artist"],
    "track_storage": ["track_id", "daily_cost"],
    GROUPS: ["genre", "group_id"],
    "artist_groups": ["id", "group_id"],
    "artists": ["id", "genres"],
}
MADE = (
    schemas.SERIES_USERS,
    schemas.SERIES_TRACKS,
    schemas.SERIES_DAILY,
    schemas.SERIES_MONTHLY,
)


@dataclass(frozen=True)
class Book:
    """A month as it was last made: `chain` names its events and all before, `universe` the series there are,
    `unknown` whether it has users without a city and tracks without a group, `sides` the files by kind."""

    chain: str
    days: tuple[str, str]
    universe: str
    unknown: tuple[bool, bool]
    sides: Mapping[str, str]
    series: int

    def as_text(self) -> str:
        """As it is recorded."""
        return json.dumps({"format": FORMAT, **vars(self)}, sort_keys=True)


@dataclass(frozen=True)
class Inputs:
    """What there is: complete days, each month's chain, files of the tables beside events and their names by
    kind, what was recorded."""

    days: CompleteDays
    span: DataSpan
    chains: Mapping[date, str]
    shards: EventShards
    files: Mapping[str, tuple[DataFile, ...]]
    grouped: bool
    sides: Mapping[str, str]
    buckets: int
    before: Mapping[date, Book]

    @property
    def changed(self) -> tuple[date, ...]:
        """Months whose events or days are others than recorded; all, if recorded ones are gone."""
        months = self.days.months
        if set(self.before) - set(months):
            return months
        return tuple(
            month
            for month in months
            if month not in self.before
            or (self.before[month].chain, self.before[month].days)
            != (self.chains[month], self.days_of(month))
        )

    @property
    def moved(self) -> tuple[str, ...]:
        """Kinds of sides, USERS or TRACKS, whose files are others than recorded."""
        books = self.before.values()
        return tuple(
            kind for kind in self.sides if any(book.sides[kind] != self.sides[kind] for book in books)
        )

    def days_of(self, month: date) -> tuple[str, str]:
        """The month's complete days, as they are recorded."""
        first, end = self.days.of(month)
        return str(first), str(end)

    def since(self, month: date | None) -> tuple[date, ...]:
        """The months from one on; none from None."""
        return tuple(each for each in self.days.months if month is not None and each >= month)


def look_at(settings: Settings, lake: Lake, tasks: Tasks) -> Inputs:
    """Look: at the logs and at footers of events' files; at rows only where these note nothing.

    Raises `DataError` without events or without a complete day.
    """
    if not lake.exists("events"):
        raise DataError(f"table events is not in {lake.root}: run the ingest job first")
    # before the shards: were files listed after them, a delivery in between would count as read
    listed = files_by_month(lake.files("events"))
    shards = EventShards(lake, tasks)
    found = shards.of(list(listed))
    notes, unnoted = notes_of(lake, found)
    done = tasks.run(
        unnoted, survey, weight=lambda file: file.size, named=lambda file: f"events in {file.place}"
    )
    notes |= {line[PLACE]: as_note(line[TOLD]) for line in done.results}
    events = months_of(found, notes, listed)
    counts = {day: number for each in events.values() for day, number in each.by_day.items()}
    span = span_of(counts, settings.data)
    days = complete_days(span, counts, settings.data)
    buckets, grouped = buckets_of(lake), lake.exists(GROUPS)
    prices = (settings.scoring.policy.value_of_sale, settings.simulation.costs.advert_income)
    files = {
        name: data_files(lake, tasks, name, columns)
        for name, columns in READ.items()
        if grouped or name in ("users", "tracks", "track_storage")
    }
    sides = {
        USERS: _names(files["users"]),
        TRACKS: digest(*(_names(mine) for name, mine in files.items() if name != "users")),
    }
    chain = digest(FORMAT, str(span.start), prices, buckets, grouped)
    return Inputs(
        days, span, _chains(chain, days, events), shards, files, grouped, sides, buckets, read_books(lake)
    )


def read_books(lake: Lake) -> dict[date, Book]:
    """What is recorded of months; nothing, if a table is missing or of another release."""
    columns = {table.name: lake.schema(table.name) for table in (*MADE, schemas.SERIES_BUILDS)}
    declared = {table.name: table.columns for table in (*MADE, schemas.SERIES_BUILDS)}
    if any(each is None or set(each.names) != set(declared[name]) for name, each in columns.items()):
        return {}
    books = {}
    for row in lake.rows(schemas.SERIES_BUILDS.name).to_pylist():
        inputs = json.loads(row["inputs"])
        if inputs.pop("format") != FORMAT:
            return {}
        first, end = inputs.pop("days")
        city, group = inputs.pop("unknown")
        books[row["month"]] = Book(days=(first, end), unknown=(city, group), **inputs)
    return books


def write_books(lake: Lake, books: Mapping[date, Book]) -> None:
    """Record months: the last commit of a build, and, without those that are replaced, the first."""
    rows: list[dict[str, Any]] = [
        {
            "month": month,
            "inputs": book.as_text(),
            "days": (date.fromisoformat(book.days[1]) - date.fromisoformat(book.days[0])).days,
            "series": book.series,
        }
        for month, book in sorted(books.items())
    ]
    lake.overwrite(as_table(rows, schemas.SERIES_BUILDS), schemas.SERIES_BUILDS)


def _chains(chain: str, days: CompleteDays, events: Mapping[date, MonthEvents]) -> dict[date, str]:
    """By month a name of its events and of all before it: first events and first purchases rest on them."""
    chains = {}
    for month in days.months:
        mine = events.get(month)
        chain = digest(chain, str(month), mine.event_count if mine else 0, mine.event_hash if mine else "")
        chains[month] = chain
    return chains


def _names(files: Sequence[DataFile]) -> str:
    return digest(*sorted(file.path or file.place for file in files))
