"""Lines judged one by one: Spark hands them to the rules in Python, and takes back silver columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pozytywka_spark.ddl import parse_ddl
from pozytywka_spark.ingest.contracts import SESSIONS, Contract
from pozytywka_spark.ingest.lines import SOURCE
from pozytywka_spark.ingest.rules.judge import ENTITIES, judge_line
from pozytywka_spark.ingest.rules.verdict import Entity, Judging, Verdict

_PLACE = tuple(name for name in SOURCE if name != "line_id")
_EVENT = (
    "event_time timestamp, event_type string, user_id bigint, session_id bigint, track_id string, "
    "no_track boolean"
)
_SOURCE = "source_file string, source_order bigint, source_size bigint, source_modified timestamp"
_VERDICT = (
    "line_id string, raw string, reason string, rule string, rescued string, notes array<string>, "
    "absent array<string>"
)
_ARROW = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "int": pa.int32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "array<string>": pa.list_(pa.string()),
}


def judge(lines: DataFrame, contract: Contract, judging: Judging, *, keep_text: bool = False) -> DataFrame:
    """Grain: line. Where it comes from, its silver columns, and what `rules.verdict.Verdict` tells of it.

    `lines` are as of `lines.as_lines`. `raw` and `line_id` are there only for rows that may end in
    quarantine, unless `keep_text`. Of events, `event_id` and the repair columns come later.
    """
    # as bytes, for a line may be no valid text
    sent = lines.select(F.col("value").cast("binary").alias("value"), *SOURCE, "time_unit")
    schema = judged_schema(contract)
    rules = ENTITIES[contract.entity]
    return sent.mapInArrow(Judge(rules, judging, keep_text, as_arrow(schema)), schema)


def judged_schema(contract: Contract) -> T.StructType:
    """The columns of `judge`."""
    silver = parse_ddl(_EVENT) if contract is SESSIONS else contract.table.schema
    place, verdict = parse_ddl(_SOURCE), parse_ddl(_VERDICT)
    unit = T.StructField("time_unit", T.StringType())
    return T.StructType([*place.fields, *silver.fields, *verdict.fields, unit])


def as_arrow(schema: T.StructType) -> pa.Schema:
    """The schema as Arrow has it, and as Spark takes it."""
    return pa.schema([(field.name, _ARROW[field.dataType.simpleString()]) for field in schema])


@dataclass(frozen=True)
class Judge:
    """A `mapInArrow` function: lines in, verdicts out, row by row, in their order."""

    rules: Entity
    judging: Judging
    keep_text: bool
    schema: pa.Schema

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Judge each batch in turn."""
        for batch in batches:
            lines, ids, units = (batch.column(name).to_pylist() for name in ("value", "line_id", "time_unit"))
            verdicts = [
                judge_line(line, self.rules, self.judging, unit=unit, keep_text=self.keep_text, line_id=named)
                for line, named, unit in zip(lines, ids, units, strict=True)
            ]
            told = {name: batch.column(name) for name in (*_PLACE, "time_unit")}
            told |= _columns(verdicts, self.rules.columns)
            yield self._cast(told)

    def _cast(self, told: dict[str, Any]) -> pa.RecordBatch:
        """By name, for Spark takes columns by position whatever they are called."""
        arrays = []
        for field in self.schema:
            column = told[field.name]
            known = isinstance(column, pa.Array)
            arrays.append(column.cast(field.type) if known else pa.array(column, field.type))
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


def _columns(verdicts: Sequence[Verdict], silver: Sequence[str]) -> dict[str, list[Any]]:
    told = {name: [verdict.columns[n] for verdict in verdicts] for n, name in enumerate(silver)}
    fields = [name for name in Verdict._fields if name != "columns"]
    return told | {name: [getattr(verdict, name) for verdict in verdicts] for name in fields}
