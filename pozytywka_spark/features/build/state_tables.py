"""The record of the last run: which months it built, from which inputs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa

from pozytywka_spark import schemas
from pozytywka_spark.errors import DataError
from pozytywka_spark.features.build.event_months import MonthEvents, digest
from pozytywka_spark.features.build.label_rows import LabelCount
from pozytywka_spark.features.build.texts import NO_QUEUES, SIGNALS, Queues, months_there
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import Table

CATALOGUE_TABLES = (schemas.USERS, schemas.ARTISTS, schemas.TRACKS, schemas.TRACK_STORAGE)
# What a build writes beside `user_month`, `features` and `labels`
STATE = (
    schemas.FIRST_PURCHASES,
    schemas.FIRST_LIKES,
    schemas.ARTIST_DEBUTS,
    schemas.USER_DEBUTS,
    schemas.TRACK_PLAYS,
)
_BY_BUCKET = ("user_month", schemas.FIRST_LIKES.name, schemas.ARTIST_DEBUTS.name, schemas.USER_DEBUTS.name)
_EVENTS = ("month", "event_count", "event_hash", "last_event", "files")


@dataclass(frozen=True)
class TableState:
    """A catalogue table: digests of its files' names, and of what features read of its rows."""

    files: str
    content: str


@dataclass(frozen=True)
class Known:
    """What the last finished run recorded; nothing, if a table of the stage is missing or of an older form.

    `built`: the fingerprint of each month built. `events`: each month's events, stray ones too. `catalogue`:
    each catalogue table. `labels`: what is counted of each month's labels. `buckets`: of users, in the tables
    built. `older`: whether there are tables, but of an older form.
    """

    built: Mapping[date, str] = field(default_factory=dict)
    events: Mapping[date, MonthEvents] = field(default_factory=dict)
    catalogue: Mapping[str, TableState] = field(default_factory=dict)
    labels: Mapping[date, LabelCount] = field(default_factory=dict)
    buckets: int | None = None
    older: bool = False

    def contents(self, names: Iterable[str]) -> dict[str, str]:
        """The digest of each of these catalogue tables' rows; of those that were read."""
        return {name: self.catalogue[name].content for name in names if name in self.catalogue}


def check_silver(lake: Lake) -> None:
    """Raise `DataError` naming every silver table that is missing."""
    missing = [table.name for table in schemas.SILVER if not lake.exists(table.name)]
    if missing:
        raise DataError(
            f"features need the tables {', '.join(missing)}, which {lake.root} does not hold: "
            "ingest a delivery with those entities first"
        )


def catalogue_files(lake: Lake, needed: Sequence[str] = (), queues: Queues = NO_QUEUES) -> dict[str, str]:
    """A digest of the names of each catalogue table's files; of the tables `needed` too.

    Signals of texts are a table a month (`texts.name_of`), read by these queues.
    """
    names = [*(table.name for table in CATALOGUE_TABLES), *(name for name in needed if name != SIGNALS)]
    found = {name: digest(*sorted(path.rpartition("/")[2] for path in lake.files(name))) for name in names}
    return found | (months_there(lake.files(SIGNALS), queues) if SIGNALS in needed else {})


def read_known(lake: Lake) -> Known:
    """What the last finished run recorded."""
    stored = {name: lake.schema(name) for name in _names()}
    if any(columns is None for columns in stored.values()):
        return Known(older=stored["features"] is not None)
    columns = {name: set(schema.names) for name, schema in stored.items() if schema is not None}
    lacking = set(schemas.FEATURE_BUILDS.columns) - columns["feature_builds"]
    if lacking or not all("user_bucket" in columns[name] for name in _BY_BUCKET):
        return Known(older=True)
    rows = lake.rows("feature_builds", list(schemas.FEATURE_BUILDS.columns)).to_pylist()
    if not rows:
        return Known(older=True)
    tables = json.loads(rows[0]["catalogue"])
    return Known(
        {row["month"]: row["inputs"] for row in rows if row["inputs"] is not None},
        {row["month"]: _events(row) for row in rows},
        {name: TableState(**state) for name, state in tables.items()},
        {row["month"]: _counts(row) for row in rows if row["labels"] is not None},
        rows[0]["user_buckets"],
    )


def write_known(lake: Lake, known: Known) -> None:
    """Record a run: after all other tables, so that an interrupted run is stale."""
    catalogue = {name: asdict(table) for name, table in sorted(known.catalogue.items())}
    same = {"catalogue": json.dumps(catalogue), "user_buckets": known.buckets}
    rows = [
        asdict(events)
        | same
        | {"inputs": known.built.get(month), "labels": _as_text(known.labels.get(month))}
        for month, events in sorted(known.events.items())
    ]
    lake.overwrite(pa.Table.from_pylist(rows, schema=_BUILDS), schemas.FEATURE_BUILDS)


_BUILDS = pa.schema(
    [
        ("month", pa.date32()),
        ("inputs", pa.string()),
        ("event_count", pa.int64()),
        ("event_hash", pa.string()),
        ("last_event", pa.int64()),
        ("files", pa.string()),
        ("days", pa.list_(pa.int64())),
        ("catalogue", pa.string()),
        ("labels", pa.string()),
        ("user_buckets", pa.int32()),
    ]
)


def _names() -> list[str]:
    tables: Sequence[Table] = (*STATE, schemas.FEATURE_BUILDS)
    return [*(table.name for table in tables), "user_month", "features", "labels"]


def _events(row: Mapping[str, Any]) -> MonthEvents:
    return MonthEvents(**{name: row[name] for name in _EVENTS}, days=tuple(row["days"]))


def _counts(row: Mapping[str, Any]) -> LabelCount:
    return LabelCount(**json.loads(row["labels"]) | {"month": row["month"]})


def _as_text(counts: LabelCount | None) -> str | None:
    return None if counts is None else json.dumps(counts.told())
