"""`forecast table`: any file in, forecasts out; whatever can't be right is refused by row."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pozytywka_spark.errors import DataError, PozytywkaError, UsageError
from pozytywka_spark.forecasting.table import TableReport, forecast_table, table_spec
from pozytywka_spark.forecasting.table_read import Columns, read_table
from tests.forecasting.frames import FIRST, daily, weekly_rhythm

COLUMNS = Columns("shop", "when", "sold")
HEADER = "shop,when,sold\n"


def read(folder: Path, text: str, freq: str = "D") -> pl.DataFrame:
    path = folder / "sales.csv"
    path.write_text(text)
    return read_table(path, COLUMNS, freq)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no rows"),
        (HEADER, "has no rows"),
        (f"{HEADER},2024-01-01,3\n", "row 1: the series has no name in shop"),
        (f"{HEADER}a,2024-01-01,3\n ,2024-01-02,3\n", "row 2: the series has no name in shop"),
        (f"{HEADER}a,yesterday,3\n", "row 1, series a: when is 'yesterday'"),
        (f"{HEADER}a,2024-02-30,3\n", "row 1, series a: when is '2024-02-30'"),
        (f"{HEADER}a,,3\n", "row 1, series a: when is None"),
        (f"{HEADER}a,2024-01-01,many\n", "row 1, series a: sold is 'many'"),
        (f"{HEADER}a,2024-01-01,1\na,2024-01-02,inf\n", "row 2, series a: sold is 'inf'"),
        (
            f"{HEADER}b,2024-01-01,1\na,2024-01-01,1\nb,2024-01-01,2\n",
            "rows 1 and 3: series b has 2024-01-01",
        ),
        (
            f"{HEADER}a,2024-01-01,1\na,2024-01-02 12:00,1\n",
            "row 2, series a: 2024-01-02 12:00:00 isn't a day",
        ),
        (f"{HEADER}a,2024-01-01,1e301\n", "row 1, series a: sold is '1e301'; expected a finite number up to"),
        (f"{HEADER}a,2024-01-01,-inf\n", "row 1, series a: sold is '-inf'"),
        (f"{HEADER}a,2024-01-01,1\na,2024-01-02,2,3\n", "can't be read as csv"),
        (f"{HEADER}a,2024-01-01,1\na,2024-01-08,1\na,2024-01-15,1\n", "series a: times are mostly 7 steps"),
    ],
)
def test_refusals(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError) as error:
        read(tmp_path, text)
    assert said in str(error.value)
    assert "sales.csv" in str(error.value)
    assert "\n" not in str(error.value)


def test_months_that_begin_on_other_days_are_off_their_step(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"row 2, series a: 2024-02-29 .*isn't a month"):
        read(tmp_path, f"{HEADER}a,2024-01-31,1\na,2024-02-29,1\n", "MS")


@pytest.mark.parametrize(
    ("path", "columns", "said"),
    [
        ("none.csv", COLUMNS, "there is no such file"),
        ("folder.csv", COLUMNS, "a folder; give one file"),
        ("sales.txt", COLUMNS, "expected a name that ends in .csv or .parquet"),
        (
            "sales.csv",
            Columns("city", "when", "sold"),
            "--series city: .* has no such column; it has shop, when, sold",
        ),
        ("sales.csv", Columns("shop", "day", "sold"), "--time day"),
        ("sales.csv", Columns("shop", "when", "price"), "--value price"),
    ],
)
def test_a_file_or_column_that_is_not_there(tmp_path: Path, path: str, columns: Columns, said: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    for name in ("sales.csv", "sales.txt"):
        (tmp_path / name).write_text(f"{HEADER}a,2024-01-01,1\n")
    with pytest.raises(UsageError, match=said):
        read_table(tmp_path / path, columns, "D")


def test_what_is_read(tmp_path: Path) -> None:
    frame = read(
        tmp_path, f"{HEADER}b,2024-01-02T00:00:00Z,4\nb,2024-01-01,NA\na,2024-01-05, 2.5 \na,2024-01-04,\n"
    )
    assert frame.rows() == [
        ("a", date(2024, 1, 4), None),
        ("a", date(2024, 1, 5), 2.5),
        ("b", date(2024, 1, 1), None),
        ("b", date(2024, 1, 2), 4.0),
    ]


def test_parquet_with_times_of_a_zone(tmp_path: Path) -> None:
    path = tmp_path / "sales.parquet"
    times = pl.datetime_range(
        datetime(2024, 3, 31), datetime(2024, 3, 31, 5), "1h", time_zone="Europe/Warsaw", eager=True
    )
    pl.DataFrame({"shop": 1, "when": times, "sold": range(len(times))}).write_parquet(path)
    frame = read_table(path, COLUMNS, "h")
    assert frame.schema == {"series": pl.String, "day": pl.Datetime("us"), "value": pl.Float64}
    assert frame["day"].diff().drop_nulls().unique().to_list() == [timedelta(hours=1)]


def sales(folder: Path, days: int = 60) -> Path:
    path = folder / "sales.csv"
    frame = daily({"a": weekly_rhythm(days), "b": weekly_rhythm(days, 10.0)})
    frame.rename({"series": "shop", "day": "when", "value": "sold"}).write_csv(path)
    return path


@pytest.mark.thorough
def test_forecasts_are_written_twice_the_same(tmp_path: Path) -> None:
    path, out = sales(tmp_path, 140), tmp_path / "out"
    report = forecast_table(path, COLUMNS, "D", 7, 14, out)
    first = (out / "forecasts.csv").read_bytes()
    made = pl.read_csv(out / "forecasts.csv", try_parse_dates=True)
    assert made.columns == ["series", "time", "mean", "low_80", "high_80", "low_90", "high_90"]
    assert made.group_by("series").len().sort("series").rows() == [("a", 14), ("b", 14)]
    assert made["time"].min() == FIRST + timedelta(140)
    assert report.series == 2
    assert report.relative["combined"] < 1
    forecast_table(path, COLUMNS, "D", 7, 14, out)
    assert (out / "forecasts.csv").read_bytes() == first


@pytest.mark.parametrize("origin", ["2022-01-01", f"{FIRST}", "2030-01-01", "soon"])
def test_an_origin_outside_the_data(tmp_path: Path, origin: str) -> None:
    with pytest.raises(PozytywkaError, match=f"--origin .?{origin}"):
        forecast_table(sales(tmp_path), COLUMNS, "D", 7, 14, tmp_path, origin)


@pytest.mark.thorough
def test_an_origin_within_it_sees_what_came_before(tmp_path: Path) -> None:
    whole, origin = sales(tmp_path), FIRST + timedelta(50)
    forecast_table(whole, COLUMNS, "D", 7, 14, tmp_path / "whole", f"{origin}")
    cut = sales(tmp_path, 50)
    forecast_table(cut, COLUMNS, "D", 7, 14, tmp_path / "cut")
    files = [(tmp_path / name / "forecasts.csv").read_bytes() for name in ("whole", "cut")]
    assert files[0] == files[1]


def test_longer_seasons_come_along() -> None:
    assert table_spec("D", 7, 14).seasons == (7, 365)
    assert table_spec("h", 24, 48).seasons == (24, 168)
    assert table_spec("W", 52, 13).seasons == (52,)
    assert table_spec("D", 1, 14).seasons == (1,)


ODD: dict[str, list[float | None]] = {
    "constant": [5.0] * 60,
    "zero": [0.0] * 60,
    "mostly zero": [0.0, 0, 0, 1, 0, 0, 2, 0, 0, 0] * 6,
    "negative": list(-weekly_rhythm(60)),
    "huge": list(weekly_rhythm(60) * 1e297),
    "tiny": list(weekly_rhythm(60) * 1e-300),
    "stepped": [10.0] * 30 + [90.0] * 30,
    "gapped": [value if at % 9 else None for at, value in enumerate(weekly_rhythm(60))],
    "short": [3.0, 4.0, 5.0],
    "point": [7.0],
    "null at the end": [*weekly_rhythm(58), None, None],
    "null throughout": [None] * 60,
    "ended early": list(weekly_rhythm(25)),
}
BOUNDS = ["low_90", "low_80", "mean", "high_80", "high_90"]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> tuple[TableReport, pl.DataFrame]:
    folder = tmp_path_factory.mktemp("odd")
    rows = [
        {"shop": name, "when": FIRST + timedelta(at), "sold": value}
        for name, values in ODD.items()
        for at, value in enumerate(values)
        if value is not None or name.startswith("null")  # a gap is a row that isn't there
    ]
    pl.DataFrame(rows, infer_schema_length=None).write_csv(folder / "odd.csv")
    report = forecast_table(folder / "odd.csv", COLUMNS, "D", 7, 14, folder / "out")
    return report, pl.read_csv(folder / "out" / "forecasts.csv", try_parse_dates=True)


@pytest.mark.thorough
@pytest.mark.parametrize("name", list(ODD))
def test_an_odd_series_is_forecast(odd: tuple[TableReport, pl.DataFrame], name: str) -> None:
    mine = odd[1].filter(series=name)
    last = max((at for at, value in enumerate(ODD[name]) if value is not None), default=len(ODD[name]) - 1)
    assert mine["time"].to_list() == [FIRST + timedelta(last + 1 + at) for at in range(14)]
    numbers = mine.select(BOUNDS).to_numpy()
    assert np.isfinite(numbers).all()
    assert (np.diff(numbers, axis=1) >= 0).all(), "intervals are nested"
    seen = [value for value in ODD[name] if value is not None] or [0.0]
    assert min(seen) * 0.5 <= mine["mean"].mean() <= max(seen) * 1.5 or name == "negative"
    assert (mine["mean"] < 0).all() if name == "negative" else (numbers >= 0).all()


@pytest.mark.thorough
def test_the_fallbacks_are_told(odd: tuple[TableReport, pl.DataFrame]) -> None:
    assert odd[0].fallbacks["no_value"] == 1
    assert odd[0].fallbacks["median"] == 1, "of a point"
    assert sum(odd[0].fallbacks.values()) >= 4


def test_columns_of_lists_and_times_past_the_last_year(tmp_path: Path) -> None:
    path = tmp_path / "odd.parquet"
    days = [FIRST + timedelta(at) for at in range(20)]
    for column in ("shop", "sold"):
        frame = pl.DataFrame({"shop": ["a"] * 20, "when": days, "sold": [1.0] * 20})
        frame.with_columns(pl.concat_list(column).alias(column)).write_parquet(path)
        with pytest.raises(DataError, match=f"column {column} has lists or structs"):
            read_table(path, COLUMNS, "D")
    late = [date(9999, 12, 1) + timedelta(at) for at in range(20)]
    pl.DataFrame({"shop": ["a"] * 20, "when": late, "sold": [1.0] * 20}).write_parquet(path)
    with pytest.raises(DataError, match="14 steps of --freq D lie beyond the year 9999"):
        forecast_table(path, COLUMNS, "D", 7, 14, tmp_path)
    with pytest.raises(UsageError, match="10,000 steps ahead at most"):
        forecast_table(path, COLUMNS, "D", 7, 10_001, tmp_path)
