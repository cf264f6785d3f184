"""The page of forecasts and the sums behind it, from frames."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from pozytywka_spark.forecasting.error_sums import BY, KIND, SUMS, SumErrors, accuracy_of, by_model, summed
from pozytywka_spark.forecasting.page import Shown, render, weight_rows
from pozytywka_spark.forecasting.page_alarms import Alarm, title_of
from pozytywka_spark.forecasting.stored import ALL, KEYS, Latest
from pozytywka_spark.forecasting.task_rows import with_keys
from tests.forecasting.made_series import CITIES, FIRST, daily
from tests.in_memory import MemoryFiles

ORIGIN = FIRST + timedelta(days=40)


def forecasts() -> pl.DataFrame:
    rows = daily(47).filter(pl.col("day") >= ORIGIN).rename({"value": "mean"})
    wide = {f"{side}_{level}": pl.col("mean") * factor for side, level, factor in
            (("low", 80, 0.9), ("high", 80, 1.1), ("low", 90, 0.8), ("high", 90, 1.2))}  # fmt: skip
    first = pl.col("city") == CITIES[0]
    pairs = pl.when(first).then(pl.lit("ets")).otherwise(pl.lit("arima"))
    weights = pl.concat_list(pl.struct(key=pairs, value=pl.lit(1.0)))
    return rows.with_columns(
        **wide,
        step=pl.lit("D"),
        origin=pl.lit(ORIGIN),
        run=pl.lit("abcdef0123"),
        weights=weights.cast(pl.Map(pl.String(), pl.Float64())),
    ).sort(*KEYS, "day")


def errors() -> pl.DataFrame:
    """Two models, two days ahead, two origins; the combination's intervals hold three days of four."""
    rows = [
        ("D", "plays", model, ahead, "r", actual, scaled, *bounds)
        for model, scaled, bounds in (
            ("combined", 0.5, (8.0, 12.0, 7.0, 13.0)),
            ("seasonal_naive", 1.0, (None, None, None, None)),
        )
        for ahead, actual in ((1, 10.0), (2, 12.5), (1, 9.0), (2, 20.0))
    ]
    names = [
        "step",
        "measure",
        "model",
        "ahead",
        "run",
        "actual",
        "scaled",
        "low_80",
        "high_80",
        "low_90",
        "high_90",
    ]
    return pl.DataFrame(rows, names, orient="row").with_columns(pl.col("ahead").cast(pl.Int32))


def test_errors_are_summed_and_what_holds_is_counted() -> None:
    sums = summed(errors()).sort(BY)
    assert sums.columns == [*BY, *SUMS]
    assert sums.filter(model="combined").rows() == [
        ("D", "plays", "combined", 1, 2, 1.0, 2, 2, 2),
        ("D", "plays", "combined", 2, 2, 1.0, 2, 0, 1),
    ]
    assert sums.filter(model="seasonal_naive").select("judged", "inside_90").rows() == [(0, 0), (0, 0)]
    (found,) = accuracy_of(sums)
    assert (found.measure, found.error, found.naive, found.relative) == ("plays", 0.5, 1.0, 0.5)
    assert (found.inside_80, found.inside_90) == (0.5, 0.75)
    assert by_model(sums) == {"combined": 0.5, "seasonal_naive": 1.0}


def test_errors_of_another_run_are_left_out() -> None:
    files = MemoryFiles()
    file = files.put_file(errors().drop("step"), {"step": "D"})
    list(SumErrors("another")([file], files))
    assert files.parcels == []
    list(SumErrors("r")([file], files))
    assert [parcel.kind for parcel in files.parcels] == [KIND]
    assert files.read(files.parcels).sort(BY).equals(summed(errors()).sort(BY))


def test_weights_are_means_over_a_measure_s_series() -> None:
    rows = {row["measure"]: row for row in weight_rows(forecasts())}
    assert rows["plays"] == {"measure": "plays", "series": 3, "arima": 66.7, "ets": 33.3}
    assert rows["storage_cost"] == {"measure": "storage_cost", "series": 1, "arima": 100.0, "ets": 0.0}


def shown(**more: object) -> Shown:
    values = {
        "daily": Latest("D", ORIGIN, forecasts()),
        "history": daily(40),
        "monthly": None,
        "months": pl.DataFrame(),
        "sums": summed(errors()),
        "alarms": (),
        "alarm_count": 0,
        "checks": 0,
        "plans": (),
        "names": {"3": "jazz & blues"},
    }
    return Shown(**{**values, **more})  # type: ignore[arg-type]


def test_the_page_says_what_there_is() -> None:
    html = render(shown())
    assert html == render(shown())
    assert "13 series, 2023-02-10 to 2023-02-16, run abcdef01" in html
    assert "No day was checked yet" in html
    assert "reach the end of a month" in html
    assert "By genre group" not in html
    assert "http://" not in html.replace("http://www.w3.org", "")
    empty = render(shown(sums=summed(errors()).clear()))
    assert "No backtest belongs to this forecast" in empty


def test_alarms_stand_with_the_days_around_them() -> None:
    day = date(2023, 2, 12)
    row = {"measure": "plays", "city": CITIES[0], "group_id": ALL, "day": day, "actual": 3.0,
           "expected": 300.0, "p": 1e-9, "origin": ORIGIN, "detail": "plays 1%"}  # fmt: skip
    mine = (pl.col("measure") == "plays") & (pl.col("city") == CITIES[0])
    alarm = Alarm(row, daily(50).filter(mine), forecasts().filter(mine))
    html = render(shown(alarms=(alarm,), alarm_count=14, checks=20))
    assert "plays of Łódź" in html
    assert "The latest 1." in html
    assert "The days around each alarm" in html


@pytest.mark.parametrize(
    ("city", "group", "told"),
    [(ALL, ALL, "plays"), ("Łódź", ALL, "plays of Łódź"), ("Łódź", "3", "plays of Łódź, jazz & blues")],
)
def test_series_in_words(city: str, group: str, told: str) -> None:
    assert title_of({"measure": "plays", "city": city, "group_id": group}, {"3": "jazz & blues"}) == told


def test_a_city_may_be_called_anything() -> None:
    frame = pl.DataFrame({"series": ["plays|a\x1fb|7", "likes|Łódź|all"], "mean": [1.0, 2.0]})
    assert with_keys(frame).select(KEYS).rows() == [("plays", "a|b", "7"), ("likes", "Łódź", "all")]
