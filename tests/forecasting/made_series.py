"""Series as the lake has them, drawn by a stated law: weekly rhythm, noise, cities that add up."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from pozytywka_spark.forecasting.stored import ALL, KEYS
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import declared
from pozytywka_spark.months import next_month
from pozytywka_spark.schemas import SERIES_DAILY, SERIES_MONTHLY

FIRST = date(2023, 1, 1)
CITIES = ("Łódź", "a|b")
LEVELS = {"plays": 400.0, "adverts": 100.0, "revenue": 20.0, "premium_users": 5.0, "storage_cost": 3.0}
WEEK = np.array([0.9, 0.85, 0.9, 1.0, 1.15, 1.3, 0.9])


def daily(days: int, seed: int = 0, first: date = FIRST) -> pl.DataFrame:
    """`series_daily` of so many days: totals and two cities; storage cost has its total only."""
    rng = np.random.default_rng(seed)
    dates = [first + timedelta(days=n) for n in range(days)]
    week = WEEK[[day.weekday() for day in dates]]
    frames = []
    for measure, level in LEVELS.items():
        values = {
            city: np.round(level * share * week * rng.lognormal(0, 0.1, days), 3)
            for city, share in zip(CITIES, (0.7, 0.3), strict=True)
        }
        if measure == "premium_users":
            values = {city: np.cumsum(np.round(each)) for city, each in values.items()}
        total = values[CITIES[0]] + values[CITIES[1]]
        if measure == "storage_cost":
            values = {}
        for city, each in {ALL: total, **values}.items():
            frames.append(
                pl.DataFrame({"day": dates, "value": each}).with_columns(
                    measure=pl.lit(measure), city=pl.lit(city), group_id=pl.lit(ALL)
                )
            )
    return pl.concat(frames).select(*KEYS, "day", "value").sort(*KEYS, "day")


def put_daily(lake: Lake, rows: pl.DataFrame) -> None:
    """Write it as `series_daily`."""
    whole = rows.with_columns(month=pl.col("day").dt.truncate("1mo"))
    lake.overwrite(declared(whole.to_arrow(), SERIES_DAILY), SERIES_DAILY)


def put_monthly(lake: Lake, rows: pl.DataFrame) -> None:
    """Write the sums of its complete months as `series_monthly`; of premium users their last day."""
    last = rows.get_column("day").max()
    assert isinstance(last, date)
    month = pl.col("day").dt.truncate("1mo").alias("month")
    sums = (
        rows.sort("day")
        .group_by(*KEYS, month)
        .agg(
            value=pl.when(pl.col("measure").first() == "premium_users")
            .then(pl.col("value").last())
            .otherwise(pl.col("value").sum())
        )
    )
    over = [m for m in sums.get_column("month").unique() if next_month(m) <= last + timedelta(days=1)]
    whole = sums.filter(pl.col("month").is_in(over)).sort(*KEYS, "month")
    lake.overwrite(declared(whole.to_arrow(), SERIES_MONTHLY), SERIES_MONTHLY)
