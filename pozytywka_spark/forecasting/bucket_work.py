"""What Spark's tasks run: a bucket of series, or all of a measure, as Arrow tables in and out. No Spark here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from pozytywka_spark.forecasting.one_bucket import forecast_bucket
from pozytywka_spark.forecasting.rows import as_rows
from pozytywka_spark.forecasting.spec import Spec


@dataclass(frozen=True)
class ForecastBucket:
    """Work on the series of a bucket; `specs` by the bucket's number."""

    specs: Mapping[int, Spec]

    def __call__(self, number: int, rows: pa.Table) -> pa.Table:
        """`series`, `day`, `value` in any order, all that came of them out, as `rows.SCHEMA` has it."""
        spec = self.specs[number]
        frame = pl.DataFrame(pl.from_arrow(rows.select(["series", "day", "value"])))
        ordered = frame.with_columns(pl.col("day").cast(pl.Datetime("us"))).sort("series", "day")
        assert spec.origin is not None
        return as_rows(forecast_bucket(ordered, spec), spec.freq, spec.origin)
