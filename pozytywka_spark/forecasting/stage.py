"""Series -> forecasts and errors of their backtest, on Spark: a task a bucket of series, then a measure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.forecasting.bucket_work import ProposeBucket, SettleMeasure
from pozytywka_spark.forecasting.inputs import Asked
from pozytywka_spark.forecasting.series_names import ESCAPED, SEPARATOR
from pozytywka_spark.forecasting.stored import DAILY, MONTHLY
from pozytywka_spark.forecasting.task_rows import ERROR, FAILURE, FORECAST, ROWS, SAID
from pozytywka_spark.lake.api import Lake, Partition
from pozytywka_spark.lake.open_tasks import slots_of
from pozytywka_spark.months import months_between
from pozytywka_spark.schemas import FORECAST_ERRORS, FORECASTS, SERIES_DAILY, SERIES_MONTHLY
from pozytywka_spark.spark.temporary_conf import without_codegen


@contextmanager
def made_on_spark(spark: SparkSession, lake: Lake, asked: Asked) -> Iterator[DataFrame]:
    """All rows (`task_rows.ROWS`) of what is asked, worked out once and held till the block ends."""
    with without_codegen(spark):
        made = _settled(spark, _said(spark, lake, asked), asked).persist()
        try:
            yield made
        finally:
            made.unpersist()


@dataclass(frozen=True)
class Counted:
    """Rows of forecasts, and models of series that failed, by the model."""

    forecasts: int
    failures: Mapping[str, int]


def count(made: DataFrame) -> Counted:
    """Work all of it out, in parallel, and count."""
    counts = made.where(F.col("kind") != ERROR).groupBy("kind", "model").count().collect()
    failed = {row["model"]: row["count"] for row in counts if row["kind"] == FAILURE}
    forecasts = sum(row["count"] for row in counts if row["kind"] == FORECAST)
    return Counted(forecasts, dict(sorted(failed.items())))


def write_errors(lake: Lake, made: DataFrame, asked: Asked) -> None:
    """Put the backtest's errors in the place of the last one's, in one commit."""
    rows = made.where(F.col("kind") == ERROR).withColumn("run", F.lit(asked.run))
    names = [field.name for field in FORECAST_ERRORS.schema]
    partitions = [{"step": step} for step in (DAILY, MONTHLY)]
    lake.replace_partitions(rows.select(*names).coalesce(1), FORECAST_ERRORS, partitions)


def write_forecasts(lake: Lake, made: DataFrame, asked: Asked) -> None:
    """Put the forecasts in the place of those of the same origin, in one commit."""
    rows = made.where(F.col("kind") == FORECAST).withColumn("run", F.lit(asked.run))
    names = [field.name for field in FORECASTS.schema]
    origins = {DAILY: asked.origin, **({MONTHLY: asked.month_origin} if asked.months else {})}
    partitions: list[Partition] = [{"step": step, "origin": origin} for step, origin in origins.items()]
    lake.replace_partitions(rows.select(*names).coalesce(1), FORECASTS, partitions)


def _month_seen(asked: Asked) -> date:
    return (asked.origin - timedelta(days=1)).replace(day=1)


def _said(spark: SparkSession, lake: Lake, asked: Asked) -> DataFrame:
    """What the models of one series say, a bucket a task, the largest bucket first."""
    numbers = [(one.step, name, number) for number, one in enumerate(asked.buckets) for name in one.series]
    types = {"step": pl.String, "series": pl.String, "bucket": pl.Int32}
    buckets = spark.createDataFrame(pl.DataFrame(numbers, types, orient="row").to_arrow())
    named = _values(lake, asked).join(F.broadcast(buckets), on=["step", "series"], how="inner")
    work = ProposeBucket({number: (one.measure, one.spec) for number, one in enumerate(asked.buckets)})

    def of_bucket(key: tuple[pa.Scalar, ...], rows: pa.Table) -> pa.Table:
        return work(key[0].as_py(), rows)

    parted = named.repartitionById(len(asked.buckets), "bucket")
    return parted.groupBy("bucket").applyInArrow(of_bucket, SAID)


def _values(lake: Lake, asked: Asked) -> DataFrame:
    """`step`, `series`, `day`, `value` of the days and months seen, none at or after the origin."""
    city = F.translate("city", SEPARATOR, ESCAPED)
    series = F.concat_ws(SEPARATOR, "measure", city, "group_id").alias("series")
    months = [{"month": month} for month in months_between(asked.first.replace(day=1), _month_seen(asked))]
    seen = (F.col("day") >= F.lit(asked.first)) & (F.col("day") < F.lit(asked.origin))
    if asked.odd:
        seen &= ~F.col("day").isin(list(asked.odd))
    days = lake.read(SERIES_DAILY.name, partitions=months).where(seen)
    values = days.select(F.lit(DAILY).alias("step"), series, "day", "value")
    if asked.months is None:
        return values
    monthly = lake.read(SERIES_MONTHLY.name).where(F.col("month") < F.lit(asked.months[1]))
    return values.unionByName(
        monthly.select(F.lit(MONTHLY).alias("step"), series, F.col("month").alias("day"), "value")
    )


def _settled(spark: SparkSession, said: DataFrame, asked: Asked) -> DataFrame:
    """Forecasts, errors and failures, a measure a task."""
    work = SettleMeasure({(one.step, one.measure): one.spec for one in asked.buckets})

    def of_measure(key: tuple[pa.Scalar, ...], rows: pa.Table) -> pa.Table:
        return work(key[0].as_py(), key[1].as_py(), rows)

    # a number that is asked for is left as it is: by size alone one task would do them all
    parted = said.repartition(3 * slots_of(spark), "step", "measure")
    return parted.groupBy("step", "measure").applyInArrow(of_measure, ROWS)
