"""The one shape in which tasks hand back all that came of a bucket: forecasts, errors of the backtest, failures.

An Arrow task has one schema; `kind` tells its rows apart, and what a kind doesn't have is null.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pyarrow as pa

from pozytywka_spark.forecasting.spec import Outcome
from pozytywka_spark.forecasting.stored import KEYS

SEPARATOR = "|"  # between measure, city and genre group, in the name of a series
# a city may be called anything, measures and genre groups are ours
_NAME = r"(?s)^(?<measure>[^|]*)\|(?<city>.*)\|(?<group_id>[^|]*)$"
FORECAST, ERROR, FAILURE = "forecast", "error", "failure"
BOUNDS = ("low_80", "high_80", "low_90", "high_90")
# as Spark is told it, and as Arrow has it
DDL = (
    "kind string, step string, measure string, city string, group_id string, model string, origin date, "
    "ahead int, day date, mean double, low_80 double, high_80 double, low_90 double, high_90 double, "
    "actual double, scaled double, weights map<string,double>, reason string"
)
_TYPES = {
    "string": pa.string(),
    "date": pa.date32(),
    "int": pa.int32(),
    "double": pa.float64(),
    "map<string,double>": pa.map_(pa.string(), pa.float64()),
}
SCHEMA = pa.schema([(name, _TYPES[kind]) for name, kind in (each.split(" ") for each in DDL.split(", "))])


def as_rows(outcome: Outcome, step: str, origin: str) -> pa.Table:
    """What came of a bucket, as rows; `origin` (ISO) of the forecast itself."""
    forecasts = outcome.forecasts.with_columns(
        kind=pl.lit(FORECAST), origin=pl.lit(origin).str.to_date(), day=pl.col("time").cast(pl.Date)
    )
    errors = outcome.errors.with_columns(
        kind=pl.lit(ERROR), origin=pl.col("origin").cast(pl.Date), day=pl.col("time").cast(pl.Date)
    )
    failures = outcome.failures.with_columns(kind=pl.lit(FAILURE))
    return pa.concat_tables([as_table(frame, step) for frame in (forecasts, errors, failures)])


def as_table(frame: pl.DataFrame, step: str) -> pa.Table:
    """A frame with `series` (or its three keys) in the tasks' schema; columns it lacks are null."""
    if "series" in frame.columns:
        frame = with_keys(frame)
    frame = frame.with_columns(step=pl.lit(step))
    if "weights" in frame.columns:
        frame = frame.with_columns(pl.col("weights").cast(pl.Map(pl.String(), pl.Float64())))
    here = frame.to_arrow()
    columns = [_column(here, name, kind) for name, kind in zip(SCHEMA.names, SCHEMA.types, strict=True)]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def with_keys(frame: pl.DataFrame) -> pl.DataFrame:
    """Measure, city and genre group in the place of the series' name."""
    parts = pl.col("series").str.extract_groups(_NAME).struct
    return frame.with_columns(**{key: parts.field(key) for key in KEYS}).drop("series")


def series_name(row: Mapping[str, str]) -> str:
    """The name of the series with these three keys."""
    return SEPARATOR.join(row[key] for key in KEYS)


def _column(table: pa.Table, name: str, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    if name not in table.column_names:
        return pa.nulls(table.num_rows, kind)
    return table.column(name).cast(kind)
