"""What the months of a scan depend on, beside what the last scan recorded of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
import pyarrow as pa

from pozytywka_spark.config import Settings, deciding
from pozytywka_spark.errors import DataError
from pozytywka_spark.features.build.contents import contents_digest
from pozytywka_spark.features.build.event_months import (
    EventShards,
    MonthEvents,
    digest,
    files_by_month,
    months_of,
    notes_of,
)
from pozytywka_spark.features.build.staleness import MonthInputs, choose_months, inputs_of
from pozytywka_spark.features.build.survey import PLACE, TOLD, survey
from pozytywka_spark.fraud.declared.catalogue import NAMES, signals_hash
from pozytywka_spark.fraud.rules.grammar import Rule, rules_hash
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.data_span import DataSpan
from pozytywka_spark.lake.event_notes import as_note
from pozytywka_spark.lake.layout import buckets_of
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles, Tasks
from pozytywka_spark.schemas import ARTISTS, FRAUD_SCANS, TRACKS, signals_table

FORMAT = 1
SIGNALS, RINGS, CASES = "signals", "rings", "cases"
TABLES = (SIGNALS, RINGS, CASES)
# What the scan reads of the catalogue tables
CATALOGUE = {"tracks": ["id", "id_artist"], "artists": ["id", "genres"]}


@dataclass(frozen=True)
class Scanned:
    """A month as the last scan left it: fingerprints by table, and how many rows and cases it has."""

    inputs: Mapping[str, Any]
    signals: int
    rings: int
    cases: int


@dataclass(frozen=True)
class Inputs:
    """What there is to scan: `months` in order with the fingerprints of each table's rows.

    `tracks`: the files of that table; `seen`: by catalogue table the digests of its files and contents.
    """

    months: Mapping[date, Mapping[str, str]]
    chained: Sequence[MonthInputs]
    span: DataSpan
    shards: EventShards
    tracks: tuple[DataFile, ...]
    seen: Mapping[str, Sequence[str]]
    buckets: int
    before: Mapping[date, Scanned]


@dataclass(frozen=True)
class Chosen:
    """The months whose signals, rings and cases are made; `whole`: all tables are written anew."""

    signals: tuple[date, ...]
    rings: tuple[date, ...]
    cases: tuple[date, ...]
    whole: bool

    @property
    def any(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.signals or self.rings or self.cases)


def look_at(lake: Lake, tasks: Tasks, settings: Settings, rules: Sequence[Rule]) -> Inputs:
    """Look: at the logs, at footers of events' files, at rows only where these tell nothing.

    Raises `DataError` without events.
    """
    if not lake.exists("events"):
        raise DataError(f"table events is not in {lake.root}: run the ingest job first")
    before = read_scanned(lake)
    events, shards = _events(lake, tasks)
    seen, tracks = _seen(lake, tasks, before)
    buckets = buckets_of(lake)
    chained = inputs_of(
        list(events.values()),
        digest(FORMAT, signals_hash(), buckets),
        {TRACKS.name: seen[TRACKS.name][1]},
        settings.data,
    )
    months = {}
    ringed = deciding_of_rings(settings)
    for each in chained.months:
        over = chained.span.is_over(each.month)
        rings = digest(each.inputs, ringed, seen[ARTISTS.name][1], over)
        cases = digest(each.inputs, rings, rules_hash(rules), deciding(settings, "fraud"), over)
        months[each.month] = {SIGNALS: each.inputs, RINGS: rings, CASES: cases}
    return Inputs(months, chained.months, chained.span, shards, tracks, seen, buckets, before)


def deciding_of_rings(settings: Settings) -> dict[str, Any]:
    """The settings that rings follow from."""
    return {name: value for name, value in deciding(settings, "fraud").items() if "ring" in name}


def choose(lake: Lake, inputs: Inputs, span: tuple[date, date] | None, *, full: bool) -> Chosen:
    """What is stale, or what was asked for. Raises `DataError` as `choose_months`."""
    built = {month: str(each.inputs[SIGNALS]) for month, each in inputs.before.items()}
    schema = lake.schema(signals_table(NAMES).name)
    if schema is None or set(schema.names) != set(signals_table(NAMES).columns):
        built = {}
    signals = choose_months(inputs.chained, built, span, full=full)
    every = list(inputs.months)
    stale = {
        table: [
            month
            for month in every
            if month in signals
            or month not in inputs.before
            or inputs.before[month].inputs[table] != inputs.months[month][table]
        ]
        for table in (RINGS, CASES)
    }
    if span is not None and not full:
        stale = {name: [m for m in months if span[0] <= m <= span[1]] for name, months in stale.items()}
    whole = len(signals) == len(every) or not inputs.before
    return Chosen(tuple(signals), tuple(stale[RINGS]), tuple(stale[CASES]), whole)


def read_scanned(lake: Lake) -> dict[date, Scanned]:
    """What is recorded of months, in their order; of a release that recorded otherwise nothing."""
    if not lake.exists(FRAUD_SCANS.name):
        return {}
    rows = sorted(lake.rows(FRAUD_SCANS.name).to_pylist(), key=lambda row: row["month"])
    inputs = {row["month"]: json.loads(row["inputs"]) for row in rows}
    return {
        row["month"]: Scanned(inputs[row["month"]], row["signals"], row["rings"], row["cases"])
        for row in rows
        if inputs[row["month"]].get("format") == FORMAT
    }


def write_scanned(lake: Lake, months: Mapping[date, Scanned]) -> None:
    """Record months: the last commit of a scan."""
    rows = [
        {
            "month": month,
            "inputs": json.dumps(each.inputs),
            "signals": each.signals,
            "rings": each.rings,
            "cases": each.cases,
            "scan_id": digest(each.inputs)[:32],
        }
        for month, each in sorted(months.items())
    ]
    lake.overwrite(pa.Table.from_pylist(rows, schema=arrow_schema(FRAUD_SCANS.schema)), FRAUD_SCANS)


def recorded(inputs: Inputs, month: date) -> dict[str, Any]:
    """What a month is recorded to be made from."""
    return {
        "format": FORMAT,
        **inputs.months[month],
        **{name: list(each) for name, each in inputs.seen.items()},
    }


def _events(lake: Lake, tasks: Tasks) -> tuple[dict[date, MonthEvents], EventShards]:
    # before the shards: were files listed after them, a delivery in between would count as read
    files = files_by_month(lake.files("events"))
    shards = EventShards(lake, tasks)
    found = shards.of(list(files))
    notes, unnoted = notes_of(lake, found)
    if unnoted:
        done = tasks.run(
            unnoted, survey, weight=lambda file: file.size, named=lambda file: f"events in {file.place}"
        )
        notes |= {line[PLACE]: as_note(line[TOLD]) for line in done.results}
    return months_of(found, notes, files), shards


def _seen(
    lake: Lake, tasks: Tasks, before: Mapping[date, Scanned]
) -> tuple[dict[str, list[str]], tuple[DataFile, ...]]:
    """Digests of the catalogue tables' files and of what they say, which is read only where the files are
    others than those recorded; the files of tracks."""
    seen: dict[str, list[str]] = {}
    files = {name: data_files(lake, tasks, name, columns) for name, columns in CATALOGUE.items()}
    for name, mine in files.items():
        names = digest(*sorted(file.path or file.place for file in mine))
        known = [each.inputs[name] for each in before.values() if each.inputs[name][0] == names]
        seen[name] = list(known[0]) if known else [names, ""]
    unread = [CatalogueTable(name, files[name]) for name in CATALOGUE if not seen[name][1]]
    done = tasks.run(
        unread, digest_tables, weight=lambda one: one.size, named=lambda one: f"the rows of {one.name}"
    )
    for line in done.results:
        seen[line["table"]][1] = line["digest"]
    return seen, files[TRACKS.name]


@dataclass(frozen=True)
class CatalogueTable:
    """The files of a catalogue table."""

    name: str
    files: tuple[DataFile, ...]

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(file.size for file in self.files)


def digest_tables(items: Sequence[CatalogueTable], files: TaskFiles) -> Iterator[dict[str, Any]]:
    """Work on catalogue tables: tells the name of the `table` and a `digest` of what the scan reads of it."""
    for one in items:
        columns = CATALOGUE[one.name]
        empty = pl.DataFrame(schema=dict.fromkeys(columns, pl.String()))
        rows = files.read(one.files, columns) if one.files else empty
        yield {"table": one.name, "digest": contents_digest(rows)}
