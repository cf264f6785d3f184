"""The shapes in which tasks hand on what came of series: an Arrow task has one schema, so one table has all.

First what models say, a row a series, for the task that has all of a measure; then forecasts, errors of the
backtest and failures: `kind` tells these apart, and what a kind doesn't have is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl
import pyarrow as pa

from pozytywka_spark.forecasting.series_names import ESCAPED, SEPARATOR
from pozytywka_spark.forecasting.spec import Outcome
from pozytywka_spark.forecasting.stored import KEYS

FORECAST, ERROR, FAILURE = "forecast", "error", "failure"
SAID = "step string, measure string, series string, said binary"
ROWS = (
    "kind string, step string, measure string, city string, group_id string, model string, origin date, "
    "ahead int, day date, mean double, low_80 double, high_80 double, low_90 double, high_90 double, "
    "actual double, scaled double, weights map<string,double>, reason string"
)
_TYPES = {
    "string": pa.string(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "int": pa.int32(),
    "double": pa.float64(),
    "map<string,double>": pa.map_(pa.string(), pa.float64()),
}
_WEIGHTS = pl.Map(pl.String(), pl.Float64())


def schema_of(declared: str) -> pa.Schema:
    """Arrow's types of columns as Spark declares them."""
    return pa.schema(
        [(name, _TYPES[kind]) for name, kind in (each.split(" ") for each in declared.split(", "))]
    )


def said_rows(step: str, measure: str, said: Mapping[str, bytes]) -> pa.Table:
    """What models say of series, by their names."""
    size = len(said)
    columns = [[step] * size, [measure] * size, list(said), list(said.values())]
    types = schema_of(SAID)
    arrays = [pa.array(values, kind) for values, kind in zip(columns, types.types, strict=True)]
    return pa.Table.from_arrays(arrays, schema=types)


def outcome_rows(outcome: Outcome, bounds: pl.DataFrame, step: str, origin: date) -> pa.Table:
    """What came of a measure's series; `origin` of the forecast, `bounds` of the backtest's own intervals
    (`series`, `origin`, `ahead` and the four of them)."""
    day = pl.col("time").cast(pl.Date)
    forecasts = outcome.forecasts.with_columns(kind=pl.lit(FORECAST), origin=pl.lit(origin), day=day)
    forecasts = forecasts.with_columns(pl.col("weights").cast(_WEIGHTS))
    errors = outcome.errors.with_columns(
        pl.col("origin").cast(pl.Date), pl.col("ahead").cast(pl.Int32), kind=pl.lit(ERROR), day=day
    )
    on = ["series", "origin", "ahead", "model"]
    errors = errors.join(bounds.with_columns(model=pl.lit("combined")), on=on, how="left")
    failures = outcome.failures.with_columns(kind=pl.lit(FAILURE))
    return pa.concat_tables([_table(frame, step) for frame in (forecasts, errors, failures)])


def _table(frame: pl.DataFrame, step: str) -> pa.Table:
    here = with_keys(frame).with_columns(step=pl.lit(step)).to_arrow()
    types = schema_of(ROWS)
    columns = [
        here.column(name).cast(kind) if name in here.column_names else pa.nulls(here.num_rows, kind)
        for name, kind in zip(types.names, types.types, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=types)


def with_keys(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns `measure`, `city` and `group_id` in the place of `series`, their name."""
    parts = pl.col("series").str.split_exact(SEPARATOR, 2).struct
    keys = {key: parts.field(f"field_{place}") for place, key in enumerate(KEYS)}
    city = keys["city"].str.replace_all(ESCAPED, SEPARATOR, literal=True)
    return frame.with_columns(**keys | {"city": city}).drop("series")
