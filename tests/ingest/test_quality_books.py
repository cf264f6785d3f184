"""Findings, the trend and the data's span kept in small tables: read and written without Spark."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest

from pozytywka_spark.config import Data
from pozytywka_spark.ingest.intake import ingest_log
from pozytywka_spark.ingest.quality.checks import ERROR, OK, Finding
from pozytywka_spark.ingest.quality.findings import last_findings, record_findings
from pozytywka_spark.ingest.quality.page import trend
from pozytywka_spark.lake.data_span import span_of
from pozytywka_spark.lake.event_days import FEATURES, INGEST, is_recorded, recorded_span, write_span


class Books:
    """A lake of small tables."""

    def __init__(self, **tables: list[dict[str, Any]]) -> None:
        self.tables = tables
        self._done: set[Any] = set()
        self._schemas: dict[str, pa.Schema] = {}

    def exists(self, name: str) -> bool:
        return name in self.tables

    def rows(self, name: str, columns: Sequence[str] | None = None, partitions: Any = None) -> pa.Table:
        wanted = [row for row in self.tables[name] if _within(row, partitions)]
        table = pa.Table.from_pylist(wanted, self._schemas.get(name))
        return table.select(columns) if columns else table

    def append(self, rows: pa.Table, table: Any, *, txn: Any) -> int | None:
        if txn in self._done:
            return None
        self._done.add(txn)
        self._schemas[table.name] = rows.schema
        self.tables.setdefault(table.name, []).extend(rows.to_pylist())
        return 1

    def upsert(self, rows: pa.Table, table: Any) -> int:
        new = {tuple(row[key] for key in table.keys): row for row in rows.to_pylist()}
        old = {tuple(row[key] for key in table.keys): row for row in self.tables[table.name]}
        self.tables[table.name] = list((old | new).values())
        return 1

    def replace_partitions(self, rows: pa.Table, table: Any, partitions: Any) -> int:
        self._schemas[table.name] = rows.schema
        kept = [row for row in self.tables.get(table.name, []) if not _within(row, partitions)]
        self.tables[table.name] = kept + rows.to_pylist()
        return 1


def _within(row: dict[str, Any], partitions: Any) -> bool:
    return partitions is None or any(part.items() <= row.items() for part in partitions)


FINDINGS = [
    Finding("events", "user unknown", ERROR, 3, 10, "orphans", ("1", "9")),
    Finding("users", "column city", OK, 0, 0, "null"),
]


def test_findings_come_back_and_those_of_an_attempt_cut_short_are_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lake, closed = Books(), []
    monkeypatch.setattr(ingest_log, "last_ingest_id", lambda _: len(closed))
    assert last_findings(lake) == []
    record_findings(lake, 1, FINDINGS)
    assert last_findings(lake) == [], "not before the ingest is closed"
    closed.append(1)
    assert last_findings(lake) == FINDINGS
    rows = {(row["check"], row["rate"], tuple(row["examples"])) for row in lake.tables["quality"]}
    assert rows == {("user unknown", 0.3, ("1", "9")), ("column city", None, ())}
    again = [Finding("events", "user unknown", OK, 0, 10, "orphans"), FINDINGS[1]]
    record_findings(lake, 1, again)
    assert last_findings(lake) == again


def test_the_trend_has_a_row_for_each_ingest_and_entity_the_latest_first() -> None:
    def row(ingest, entity, outcome, rows):
        return {"ingest_id": ingest, "entity": entity, "outcome": outcome, "rows": rows, "reason": None}

    counts = [row(1, "users", "kept", 5), row(1, "users", "kept", 2), row(1, "users", "duplicate", 1),
              row(2, "sessions", "quarantined", 4), row(2, "users", "repaired", 3),
              row(2, "users", "noted", 100)]  # fmt: skip
    zeros = {"kept": 0, "repaired": 0, "duplicate": 0, "quarantined": 0}
    expected = [
        {"ingest": 2, "delivery": "/new", "entity": "sessions", "rows": 4} | zeros | {"quarantined": 4},
        {"ingest": 2, "delivery": "/new", "entity": "users", "rows": 3} | zeros | {"repaired": 3},
        {"ingest": 1, "delivery": "/old", "entity": "users", "rows": 8} | zeros | {"kept": 7, "duplicate": 1},
    ]
    known = [{"ingest_id": 1, "delivery": "/old"}, {"ingest_id": 1, "delivery": "/old"}]
    assert trend(Books(ingest_counts=counts, ingests=known), "/new") == expected
    without = [each | {"delivery": "/new"} for each in expected]
    assert trend(Books(ingest_counts=counts), "/new") == without
    many = [row(ingest, "users", "kept", 1) for ingest in range(1, 100)]
    assert [each["ingest"] for each in trend(Books(ingest_counts=many), "/new")] == list(range(99, 39, -1))


@pytest.mark.parametrize("changed", [None, {date(2023, 1, 31): 99}, {date(2023, 2, 1): 100}])
def test_a_stages_span_is_known_until_a_day_changes(changed: dict[date, int] | None) -> None:
    lake, days = Books(), {date(2023, 1, 1) + timedelta(days=n): 100 for n in range(31)}
    chosen = Data()
    span = span_of(days, chosen)
    assert recorded_span(lake, chosen, INGEST) is None
    assert not is_recorded(lake, span, days, INGEST)
    write_span(lake, span, days, FEATURES)
    assert not is_recorded(lake, span, days, INGEST)
    write_span(lake, span, days, INGEST)
    write_span(lake, span, days, INGEST)
    assert [row["stage"] for row in lake.tables["data_span"]] == [FEATURES, INGEST]
    assert recorded_span(lake, chosen, INGEST) == span
    now = days | (changed or {})
    assert is_recorded(lake, span_of(now, chosen), now, INGEST) == (changed is None)
