"""How long a forecast of many daily series takes on Spark, what of that is Spark's, and with how much memory.

    python -m tests.bench.bench_forecast [SERIES …]

Series of two years, four origins and a forecast of 35 days, in four measures whose cities add up; 100 and
1,000 of them. Beside it the same kernels in this process, on as many series as tell what one takes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import date, timedelta

import numpy as np
import polars as pl
from pyspark.sql import SparkSession

from pozytywka_spark.config import load_settings
from pozytywka_spark.forecasting.bucket_work import ProposeBucket, SettleMeasure
from pozytywka_spark.forecasting.inputs import Asked, asked_of
from pozytywka_spark.forecasting.series_names import series_name
from pozytywka_spark.forecasting.stage import count, made_on_spark, write_errors, write_forecasts
from pozytywka_spark.forecasting.stored import ALL, KEYS
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.spark.session import build_session
from tests.bench.memory import largest_worker, processor_seconds
from tests.forecasting.made_series import WEEK, put_daily

FIRST, DAYS = date(2022, 1, 1), 730
MEASURES = ("plays", "skips", "likes", "listened_hours")
ALONE = 24  # series that are forecast in this process


def main() -> None:
    """A line a number of series."""
    wanted = [int(word) for word in sys.argv[1:]] or [100, 1000]
    print(f"kernels alone: {seconds_alone():.2f} core-seconds a series")
    for number in wanted:
        with tempfile.TemporaryDirectory() as home:
            settings = load_settings("local", [f"home={home}"])
            spark = build_session(settings, "bench")
            lake = open_lake(settings, spark)
            put_daily(lake, made(number))
            print(told(spark, lake, number, asked_of(settings, lake, None, None)))
            spark.stop()


def told(spark: SparkSession, lake: Lake, number: int, asked: Asked) -> str:
    """What one forecast took, in a session that is there."""
    before, begun = processor_seconds(spark), time.perf_counter()
    with made_on_spark(spark, lake, asked) as rows:
        counted = count(rows)
        forecast = time.perf_counter() - begun
        write_errors(lake, rows, asked)
        write_forecasts(lake, rows, asked)
    waited, used = time.perf_counter() - begun, processor_seconds(spark) - before
    failed = sum(counted.failures.values())
    return (
        f"{number:,} series: {waited:.0f} s ({waited - forecast:.1f} of them to write), {used:.0f} core-s, "
        f"{used / number:.2f} a series; largest worker {largest_worker(spark):.2f} GB; "
        f"{counted.forecasts:,} rows, {failed} failures"
    )


def seconds_alone() -> float:
    """Core-seconds a series of the two kernels, in this process and without Spark."""
    rows = made(ALONE).filter(pl.col("measure") == MEASURES[0])
    rows = pl.concat([rows, made(ALONE, seed=1).filter(pl.col("measure") == MEASURES[1])])
    asked = asked_of_frame(rows)
    begun, series = 0.0, 0
    for measure in MEASURES[:2]:
        bucket = next(each for each in asked.buckets if each.measure == measure)
        mine = rows.filter(pl.col("measure") == measure)
        names = [series_name(*keys) for keys in mine.select(KEYS).rows()]
        table = mine.select(series=pl.Series(names), day="day", value="value").to_arrow()
        start = time.process_time()
        said = ProposeBucket({0: (measure, bucket.spec)})(0, table)
        SettleMeasure({("D", measure): bucket.spec})("D", measure, said)
        if measure != MEASURES[0]:  # the first compiles what the others use
            begun, series = begun + time.process_time() - start, series + len(bucket.series)
    return begun / series


def asked_of_frame(rows: pl.DataFrame) -> Asked:
    """What is asked of a lake that has these rows."""
    with tempfile.TemporaryDirectory() as home:
        settings = load_settings("local", [f"home={home}"])
        lake = open_lake(settings, None)  # type: ignore[arg-type]  # small tables need no session
        put_daily(lake, rows)
        return asked_of(settings, lake, None, None)


def made(number: int, seed: int = 0) -> pl.DataFrame:
    """So many series: a rhythm of the week and the year, growth and noise, another of each city."""
    rng = np.random.default_rng(seed)
    days = [FIRST + timedelta(days=n) for n in range(DAYS)]
    turn = 2 * np.pi * np.arange(DAYS) / 365.25
    week = WEEK[[day.weekday() for day in days]]
    frames = []
    for measure in MEASURES:
        cities = {
            f"city {place:03}": np.round(
                rng.uniform(5, 500)
                * week ** rng.uniform(0.5, 1.5)
                * np.exp(
                    0.15 * np.sin(turn + rng.uniform(0, 6)) + rng.uniform(-0.2, 0.4) * np.arange(DAYS) / DAYS
                )
                * rng.lognormal(0, 0.15, DAYS)
            )
            for place in range(number // len(MEASURES) - 1)
        }
        cities[ALL] = np.sum(list(cities.values()), axis=0)
        for city, values in cities.items():
            frame = pl.DataFrame({"day": days, "value": values})
            frames.append(
                frame.with_columns(measure=pl.lit(measure), city=pl.lit(city), group_id=pl.lit(ALL))
            )
    return pl.concat(frames).select(*KEYS, "day", "value").sort(*KEYS, "day")


if __name__ == "__main__":
    main()
