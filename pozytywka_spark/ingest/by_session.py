"""Sessions handed to the kernels of repair: Spark brings each session's rows together, Python judges them.

Rows arrive sorted by session and are gone through in batches of whole sessions, so that a task never holds
more than one batch and one session.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pozytywka_spark.ingest.evidence import tally
from pozytywka_spark.ingest.grammar import Grammar, Key
from pozytywka_spark.ingest.repair import Outcome, repair
from pozytywka_spark.ingest.session_rows import Row

Batches = Iterator[pa.RecordBatch]

# What the kernels see of a row, in the order of `Row`.
SEEN = ("event_time", "event_type", "track_id", "user_id", "no_track")
_TOLD = (
    T.StructField("repair_reason", T.StringType()),
    T.StructField("copy", T.BooleanType()),
    T.StructField("why", T.StringType()),
)
_FILLED = ("event_type", "track_id", "user_id")
_COUNTS = "key string, rows bigint"


def grammar_of(rows: DataFrame) -> Grammar:
    """What sessions show of their grammar. `rows`: `session_id` and `SEEN`, unknown fields null.

    What comes to the driver is one row for each kind of count: some dozens.
    """
    counted = _by_session(rows.select("session_id", *SEEN)).mapInArrow(_tallied, _COUNTS)
    totals = counted.groupBy("key").agg(F.sum("rows").alias("rows")).collect()
    return Grammar({tuple(row["key"].split()): int(row["rows"]) for row in totals})


def repair_sessions(rows: DataFrame, grammar: Grammar) -> DataFrame:
    """The rows of sessions that have a `line_id`, filled in as far as is certain (see `repair`).

    Grain: event of the batch that is incomplete. `rows` are all of these sessions: `session_id`, `SEEN`,
    `told` (of silver, its type or track was once told by its session; null: no), `gaps` (a row of the session
    may be missing) and whatever else; rows without `line_id` are complete, and may come more than once.
    Adds `repair_reason` (null: untouched), `copy` (an event of its instant holds all that it says) and `why`
    (null: complete).
    """
    schema = T.StructType([*rows.schema.fields, *_TOLD])
    return _by_session(rows).mapInArrow(_repairer(grammar, schema.fieldNames()), schema)


def _by_session(rows: DataFrame) -> DataFrame:
    return rows.repartition("session_id").sortWithinPartitions("session_id")


def _tallied(batches: Batches) -> Batches:
    counts: Counter[Key] = Counter()
    for sessions in _whole_sessions(batches):
        rows = _rows(sessions)
        for start, end in _bounds(sessions):
            counts.update(tally(rows[start:end]))
    keys = [" ".join(key) for key in counts]
    yield pa.RecordBatch.from_arrays(
        [pa.array(keys, pa.string()), pa.array(list(counts.values()), pa.int64())], names=["key", "rows"]
    )


def _repairer(grammar: Grammar, columns: list[str]) -> Callable[[Batches], Batches]:
    """A `mapInArrow` function that repairs the sessions of its batches."""

    def repaired(batches: Batches) -> Batches:
        for sessions in _whole_sessions(batches):
            yield from _filled(sessions, grammar).select(columns).to_batches()

    return repaired


def _filled(sessions: pa.Table, grammar: Grammar) -> pa.Table:
    """The rows with a line, with what became of them."""
    rows, gaps = _rows(sessions), sessions.column("gaps").to_pylist()
    lines = sessions.column("line_id").to_pylist()
    outcomes: dict[int, Outcome] = {}
    for start, end in _bounds(sessions):
        places = _once(rows, lines, range(start, end))
        found = repair([rows[i] for i in places], grammar, gaps=any(gaps[start:end]))
        outcomes |= {i: told for i, told in zip(places, found, strict=True) if told is not None}
    needy = [i for i, line in enumerate(lines) if line is not None]
    told = [outcomes[i] for i in needy]
    table = sessions.take(pa.array(needy, pa.int64()))
    values: dict[str, tuple[list[Any], pa.DataType]] = {
        "event_type": ([one.kind for one in told], pa.string()),
        "track_id": ([one.track for one in told], pa.string()),
        "user_id": ([one.user for one in told], pa.int64()),
        "repair_reason": ([one.reason for one in told], pa.string()),
        "copy": ([one.copy for one in told], pa.bool_()),
        "why": ([one.why for one in told], pa.string()),
    }
    table = table.drop_columns(list(_FILLED))
    for name, (column, kind) in values.items():
        table = table.append_column(name, pa.array(column, kind))
    return table


def _once(rows: list[Row], lines: list[str | None], places: range) -> list[int]:
    """The places of a session's rows, of complete ones once an event; the one that was told first."""
    known: dict[Row, int] = {}
    for i in sorted(places, key=lambda i: not rows[i].told):
        if lines[i] is None:
            known.setdefault(rows[i]._replace(told=False, no_track=False), i)
    return [*known.values(), *(i for i in places if lines[i] is not None)]


def _rows(sessions: pa.Table) -> list[Row]:
    times = sessions.column("event_time").cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    columns = [times, *(sessions.column(name) for name in SEEN[1:])]
    if "told" in sessions.column_names:
        columns.append(sessions.column("told"))
    return [
        Row(time, kind, track, user, bool(no_track), *map(bool, told))
        for time, kind, track, user, no_track, *told in zip(*(c.to_pylist() for c in columns), strict=True)
    ]


def _bounds(sessions: pa.Table) -> list[tuple[int, int]]:
    """Begin and end of each session."""
    ids = sessions.column("session_id").to_numpy()
    starts = np.flatnonzero(np.diff(ids, prepend=ids[0] - 1)) if len(ids) else np.array([], dtype=np.int64)
    return list(pairwise([*starts.tolist(), len(ids)]))


def _whole_sessions(batches: Batches) -> Iterator[pa.Table]:
    """The rows again, cut between sessions."""
    rest: pa.Table | None = None
    for batch in batches:
        if not batch.num_rows:
            continue
        table = pa.Table.from_batches([batch])
        table = table if rest is None else pa.concat_tables([rest, table])
        ids = table.column("session_id").to_numpy()
        cut = int(np.searchsorted(ids, ids[-1], side="left"))
        rest = table.slice(cut)
        if cut:
            yield table.slice(0, cut)
    if rest is not None:
        yield rest
