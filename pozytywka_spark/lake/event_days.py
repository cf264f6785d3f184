"""Events by day, counted in the lake, and the table `data_span` that says where the data begin and end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

import pyarrow as pa

from pozytywka_spark.config import Data, Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.count_days import COLUMNS, CountDays, days_told
from pozytywka_spark.lake.data_span import DataSpan, span_of
from pozytywka_spark.lake.event_notes import NOTE, as_note, together
from pozytywka_spark.schemas import DATA_SPAN

INGEST, FEATURES = "ingest", "features"  # whose view of the data a row is


def count_days(lake: Lake) -> dict[date, int]:
    """Events by UTC day, of days that have any: as their files note them; the others are read, one column."""
    with lake.tasks() as tasks:
        files = [file for shard in lake.shards("events", tasks, columns=COLUMNS) for file in shard.files]
        notes = [each.get(NOTE) for each in lake.noted(files)]
        unnoted = [file for file, note in zip(files, notes, strict=True) if note is None]
        done = tasks.run(
            unnoted, CountDays(), weight=lambda file: file.size, named=lambda file: f"events in {file.place}"
        )
    counts = Counter(days_told(done.results))
    counts.update(together(as_note(note) for note in notes if note is not None).days)
    return dict(counts)


def span_of_events(lake: Lake, data: Data | None = None) -> DataSpan:
    """The span of the events as they are now. Raises `DataError` if there are none."""
    if not lake.exists("events"):
        raise DataError(f"table events is not in {lake.root}: run the ingest job first")
    return span_of(count_days(lake), data or Data())


def span_of_features(settings: Settings, lake: Lake) -> DataSpan:
    """The span of the events that features and labels were built from, under the settings of today.

    A lake of a release that kept no such record is asked for its events. Raises `DataError` without either.
    """
    return recorded_span(lake, settings.data, FEATURES) or span_of_events(lake, settings.data)


def span_of_ingest(settings: Settings, lake: Lake) -> DataSpan:
    """The span of the events as ingest has last recorded it, under the settings of today; of a lake without
    such a record that of its events. Raises `DataError` without either.
    """
    return recorded_span(lake, settings.data, INGEST) or span_of_events(lake, settings.data)


def recorded_span(lake: Lake, data: Data, stage: str) -> DataSpan | None:
    """The span as the stage has last found its days, under the settings of today; None if it never did."""
    row = _row(lake, stage)
    return None if row is None else span_of({each["day"]: each["events"] for each in row["days"]}, data)


def is_moved(lake: Lake, span: DataSpan, stage: str) -> bool:
    """Whether `data_span` says other bounds of the stage than these, or nothing."""
    row = _row(lake, stage)
    return row is None or _bounds(row) != (span.start, span.end, span.late_start_days)


def is_recorded(lake: Lake, span: DataSpan, counts: Mapping[date, int], stage: str) -> bool:
    """Whether `data_span` says this of the stage already."""
    row = _row(lake, stage)
    if row is None:
        return False
    recorded = {each["day"]: each["events"] for each in row["days"]}
    same = _bounds(row) == (span.start, span.end, span.late_start_days)
    return same and row["overridden"] == span.overridden and recorded == dict(counts)


def write_span(lake: Lake, span: DataSpan, counts: Mapping[date, int], stage: str) -> None:
    """Record the span that a stage has found, and the counts by day that it follows from."""
    values = asdict(span)
    row = {
        **{name: values[name] for name in DATA_SPAN.columns if name in values},
        "stage": stage,
        "data_start": span.start,
        "data_end": span.end,
        "days": [{"day": day, "events": counts[day]} for day in sorted(counts)],
    }
    lake.replace_partitions(pa.Table.from_pylist([row], schema=_ARROW), DATA_SPAN, [{"stage": stage}])


_ARROW = pa.schema(
    [
        ("stage", pa.string()),
        ("data_start", pa.timestamp("us", "UTC")),
        ("data_end", pa.timestamp("us", "UTC")),
        ("first_event", pa.date32()),
        ("last_event", pa.date32()),
        ("events_before", pa.int64()),
        ("events_after", pa.int64()),
        ("days_before", pa.int32()),
        ("days_after", pa.int32()),
        ("overridden", pa.bool_()),
        ("late_start_days", pa.int32()),
        ("days", pa.list_(pa.struct([("day", pa.date32()), ("events", pa.int64())]))),
    ]
)


def _bounds(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["data_start"], row["data_end"], row["late_start_days"]


def _row(lake: Lake, stage: str) -> dict[str, Any] | None:
    """The stage's row."""
    if not lake.exists(DATA_SPAN.name):
        return None
    rows = lake.rows(DATA_SPAN.name, partitions=[{"stage": stage}]).to_pylist()
    return rows[0] if rows else None
