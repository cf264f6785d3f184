"""The books of ingest, kept in the lake: which files were read, what became of rows, which months changed.

All are small (a line a file, a line a count), so the driver reads and writes them without a Spark job.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pozytywka_spark.ingest.outcomes import KEPT, REPAIRED
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.lake.storage.listed_file import micros_of
from pozytywka_spark.schemas import INGEST_COUNTS, INGEST_FILES, INGESTS, Table

Row = dict[str, Any]


def rows_of(lake: Lake, table: Table, **where: Any) -> Iterator[Row]:
    """The rows of a small table whose columns `where` have these values; none if there is no table."""
    if not lake.exists(table.name):
        return
    for row in lake.rows(table.name).to_pylist():
        if all(row[name] == value for name, value in where.items()):
            yield row


def next_ingest_id(lake: Lake) -> int:
    """One more than the last finished ingest; one that was cut short passes its id on to the next."""
    return last_ingest_id(lake) + 1


def last_ingest_id(lake: Lake) -> int:
    """The id of the last finished ingest, 0 before the first."""
    return max((row["ingest_id"] for row in rows_of(lake, INGESTS)), default=0)


@dataclass(frozen=True)
class Version:
    """A file as it was read: bytes, microseconds since 1970 of its last change, hash of its bytes."""

    size: int
    modified: int
    content_hash: str | None = None

    def same_as(self, size: int, modified: int) -> bool:
        """Whether a file of that size and time is taken for this very version."""
        return (self.size, self.modified) == (size, modified)


@dataclass(frozen=True)
class Read:
    """What was read of one entity of a delivery: the current generation and, in it, each file's version."""

    generation: int
    versions: Mapping[str, Version]


def read_before(lake: Lake, delivery: str) -> dict[str, Read]:
    """What was read of the delivery before, by entity."""
    generations: dict[str, int] = {}
    latest: dict[tuple[str, int], dict[str, Row]] = {}
    for row in sorted(rows_of(lake, INGEST_FILES, delivery=delivery), key=lambda row: row["batch"]):
        entity, generation = row["entity"], row["generation"]
        generations[entity] = max(generation, generations.get(entity, 0))
        latest.setdefault((entity, generation), {})[row["path"]] = row
    return {
        entity: Read(generation, {path: version_of(row) for path, row in latest[entity, generation].items()})
        for entity, generation in generations.items()
    }


def version_of(row: Row) -> Version:
    """The version that a row of `ingest_files` tells of."""
    return Version(row["size"], micros_of(row["modified"]), row.get("content_hash"))


def record_files(lake: Lake, stamp: Mapping[str, Any], txn: Txn, files: Sequence[Mapping[str, Any]]) -> None:
    """Put down which versions of which files were read to their end."""
    rows = [{**stamp, **file, "stream": txn.app, "batch": txn.version} for file in files]
    lake.append(as_table(rows, INGEST_FILES), INGEST_FILES, txn=txn)


def record_counts(
    lake: Lake, entity: str, ingest_id: int, txn: Txn, counts: Sequence[Mapping[str, Any]]
) -> None:
    """Put down what became of a batch's rows, in place of what an attempt cut short has put down."""
    stamp = {"entity": entity, "stream": txn.app, "batch": txn.version, "ingest_id": ingest_id}
    rows = [stamp | dict(row) for row in counts]
    if lake.append(as_table(rows, INGEST_COUNTS), INGEST_COUNTS, txn=txn) is not None:
        return
    before = list(rows_of(lake, INGEST_COUNTS, stream=txn.app, batch=txn.version))
    keys = {_count_key(row) for row in rows}
    stale = [row | {"rows": 0} for row in before if _count_key(row) not in keys]
    if {_count_key(row): row["rows"] for row in before} != {_count_key(row): row["rows"] for row in rows}:
        lake.upsert(as_table([*rows, *stale], INGEST_COUNTS), INGEST_COUNTS)


def add_counts(
    lake: Lake, entity: str, ingest_id: int, app: str, counts: Sequence[Mapping[str, Any]]
) -> None:
    """Put down what became of replayed rows, beside what an attempt cut short has put down."""
    stamp = {"entity": entity, "stream": app, "batch": ingest_id, "ingest_id": ingest_id}
    lake.upsert(as_table([stamp | dict(row) for row in counts], INGEST_COUNTS), INGEST_COUNTS)


def counts_of(lake: Lake, ingest_id: int) -> list[Row]:
    """What became of the rows of an ingest: rows of `ingest_counts`."""
    return [row for row in rows_of(lake, INGEST_COUNTS, ingest_id=ingest_id) if row["rows"] > 0]


def finish_ingest(lake: Lake, ingest_id: int, delivery: str, counts: Sequence[Mapping[str, Any]]) -> None:
    """Close the ingest: one row for each entity it read and one for each event month it added to."""
    added: dict[tuple[str, date | None], int] = {}
    for row in counts:
        new = row["rows"] if row["outcome"] in (KEPT, REPAIRED) else 0
        for key in {(row["entity"], None), (row["entity"], row["event_month"])}:
            if new or key[1] is None:
                added[key] = added.get(key, 0) + new
    stamp = {"ingest_id": ingest_id, "delivery": delivery}
    rows = [
        stamp | {"entity": entity, "event_month": month, "rows_added": rows}
        for (entity, month), rows in added.items()
    ]
    lake.append(as_table(rows, INGESTS), INGESTS, txn=Txn("ingests", ingest_id))


def _count_key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["outcome"], row["reason"], row["event_month"]
