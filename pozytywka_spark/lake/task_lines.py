"""Results of tasks on their way to the driver: a line for each, whatever Python object it is."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame

from pozytywka_spark.lake.arrow_bytes import binary_array

LINE = "line binary"
_ARROW = pa.schema([("line", pa.binary())])


def as_batch(things: Iterable[Any]) -> pa.RecordBatch:
    """The lines of a task, as Spark takes them: rows of `LINE`."""
    lines = binary_array([pickle.dumps(thing) for thing in things])
    return pa.RecordBatch.from_arrays([lines], schema=_ARROW)


def collected(lines: DataFrame) -> Iterator[Any]:
    """What all tasks of a frame of `LINE` sent."""
    return (pickle.loads(row["line"]) for row in lines.collect())  # noqa: S301 our own tasks' lines
