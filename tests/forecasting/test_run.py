"""`forecast run` on Spark: whole tables, nothing when it stands, the same after a kill, and no look ahead."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

import polars as pl
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.forecasting import inputs
from pozytywka_spark.forecasting import run as run_module
from pozytywka_spark.forecasting.run import backtest, run
from pozytywka_spark.forecasting.series import Built
from pozytywka_spark.forecasting.spec import Spec
from pozytywka_spark.forecasting.stored import ALL, KEYS
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import FORECAST_ERRORS, FORECASTS
from tests.forecasting.made_series import CITIES, FIRST, daily, put_daily, put_monthly

DAYS = 75
END = FIRST + timedelta(days=DAYS)
QUICK = ("forecast.horizon_days=7", "forecast.origins=2")


@pytest.fixture(autouse=True)
def series_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Series are in the lake by other means than from events."""
    built = Built(FIRST, END, (), 13, "data")
    monkeypatch.setattr(run_module, "build_series", lambda *_, **__: built)


@pytest.fixture(autouse=True)
def few_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of a series and one of all series together; `test_bucket` asks each, `test_job` runs with all."""
    monkeypatch.setattr(inputs, "Spec", partial(Spec, models=("ets", "trees")))


def home(settings: Settings, spark: SparkSession, name: str = "home") -> tuple[Settings, Lake]:
    mine = load_settings("local", [f"home={settings.home}/{name}", *QUICK])
    return mine, open_lake(mine, spark)


def few(rows: pl.DataFrame) -> pl.DataFrame:
    """Of two measures: four series."""
    return rows.filter(pl.col("measure").is_in(["plays", "storage_cost"]))


def table(lake: Lake, name: str) -> pl.DataFrame:
    frame = pl.DataFrame(lake.rows(name))
    return frame.sort([column for column in frame.columns if column != "weights"])


def test_a_run_writes_every_series_once_and_stands(spark: SparkSession, settings: Settings) -> None:
    mine, lake = home(settings, spark)
    put_daily(lake, daily(DAYS))
    done = run(spark, mine, lake)
    assert (done.unchanged, done.asked.origin, done.asked.series) == (False, END, 13)
    forecasts = table(lake, FORECASTS.name)
    names = forecasts.select(KEYS).unique()
    assert names.height == 13
    assert set(names.get_column("city")) == {ALL, *CITIES}
    assert forecasts.height == done.rows == 13 * 7
    assert set(forecasts.get_column("day")) == {END + timedelta(days=n) for n in range(7)}
    assert set(forecasts.get_column("run")) == {done.asked.run}
    weights = forecasts.get_column("weights").to_list()
    assert all(abs(sum(row.values()) - 1) < 1e-9 for row in weights)
    errors = table(lake, FORECAST_ERRORS.name)
    assert errors.filter(pl.col("day") >= END).height == 0
    assert set(errors.get_column("model")) >= {"combined", "seasonal_naive"}
    actual = daily(DAYS).rename({"value": "expected"})
    held = errors.join(actual, on=[*KEYS, "day"], how="left")
    assert (held.get_column("actual") == held.get_column("expected")).all()
    assert {each.measure for each in done.accuracy} == set(names.get_column("measure"))

    version = lake.version(FORECASTS.name), lake.version(FORECAST_ERRORS.name)
    again = run(spark, mine, lake)
    assert again.unchanged
    assert again.accuracy == done.accuracy
    assert (lake.version(FORECASTS.name), lake.version(FORECAST_ERRORS.name)) == version
    assert backtest(spark, mine, lake).unchanged, "a run's backtest is that of the command"


class DiedError(Exception):
    """The process died."""


def test_errors_come_back_after_another_origin_s_and_a_run_that_died_is_made_again_without_looking_ahead(
    spark: SparkSession, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, origin = few(daily(DAYS)), FIRST + timedelta(days=60)
    mine, lake = home(settings, spark, "whole")
    put_daily(lake, rows)
    done = run(spark, mine, lake)
    forecasts, errors = table(lake, FORECASTS.name), table(lake, FORECAST_ERRORS.name)
    run(spark, mine, lake, origin=origin)
    expected = table(lake, FORECASTS.name).filter(origin=origin), table(lake, FORECAST_ERRORS.name)
    assert set(expected[1]["run"]) != {done.asked.run}
    again = run(spark, mine, lake)
    assert not again.unchanged
    assert again.accuracy == done.accuracy
    assert table(lake, FORECAST_ERRORS.name).equals(errors)
    assert table(lake, FORECASTS.name).filter(pl.col("origin") == END).equals(forecasts)

    # of other values from the origin on; it dies between its two writes
    killed, other = home(settings, spark, "killed")
    value = pl.when(pl.col("day") >= origin).then(pl.col("value") * 10).otherwise(pl.col("value"))
    tenfold = rows.with_columns(value)
    put_daily(other, pl.concat([tenfold, new_city(tenfold, origin)]).sort(*KEYS, "day"))
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "write_forecasts", dying)
        with pytest.raises(DiedError):
            run(spark, killed, other, origin=origin)
    assert other.exists(FORECAST_ERRORS.name)
    assert not run(spark, killed, other, origin=origin).unchanged
    assert table(other, FORECASTS.name).equals(expected[0])
    assert table(other, FORECAST_ERRORS.name).equals(expected[1])


def test_models_do_not_learn_from_a_day_that_an_operator_has_named(
    spark: SparkSession, settings: Settings
) -> None:
    day = END - timedelta(days=3)
    made = []
    for name, times in (("quiet", 1.0), ("odd", 50.0)):
        mine, lake = home(settings, spark, name)
        mine = mine.model_copy(update={"forecast": mine.forecast.model_copy(update={"known_days": (day,)})})
        value = pl.when(pl.col("day") == day).then(pl.col("value") * times).otherwise("value")
        put_daily(lake, few(daily(DAYS)).with_columns(value=value))
        run(spark, mine, lake)
        made.append([table(lake, each).drop("run") for each in (FORECASTS.name, FORECAST_ERRORS.name)])
    for quiet, odd in zip(*made, strict=True):
        assert quiet.equals(odd)
    assert day not in set(made[0][1]["day"]), "nor is any model judged by it"


def dying(*_: Any) -> None:
    raise DiedError


def new_city(rows: pl.DataFrame, origin: date) -> pl.DataFrame:
    """One that only the days from the origin on know: zeros before."""
    mine = rows.filter(pl.col("city") == CITIES[0])
    value = pl.when(pl.col("day") >= origin).then(pl.col("value")).otherwise(0.0)
    return mine.with_columns(city=pl.lit("Nowa"), value=value)


def test_two_years_are_forecast_by_months_too(spark: SparkSession, settings: Settings) -> None:
    mine, lake = home(settings, spark)
    mine = mine.model_copy(update={"forecast": mine.forecast.model_copy(update={"history_days": 60})})
    rows = few(daily(800, first=date(2021, 1, 1)))
    put_daily(lake, rows)
    put_monthly(lake, rows)
    done = run(spark, mine, lake, origin=date(2023, 3, 5))
    assert done.asked.months == (date(2021, 1, 1), date(2023, 3, 1))
    monthly = table(lake, FORECASTS.name).filter(pl.col("step") == "MS")
    assert monthly.height == 4 * 12
    assert (monthly.get_column("day").min(), monthly.get_column("day").max()) == (
        date(2023, 3, 1), date(2024, 2, 1),
    )  # fmt: skip
    assert set(monthly.get_column("origin")) == {date(2023, 3, 1)}


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        (END + timedelta(days=1), "--origin 2023-03-18: outside the data, of which 2023-01-01 to 2023-03-16"),
        (FIRST + timedelta(days=13), "expected 2023-01-15 to 2023-03-17"),
    ],
)
def test_an_origin_outside_the_data(spark: SparkSession, settings: Settings, origin: date, told: str) -> None:
    mine, lake = home(settings, spark)
    put_daily(lake, daily(DAYS))
    with pytest.raises(DataError, match=told):
        run(spark, mine, lake, origin=origin)


def test_a_lake_too_young(spark: SparkSession, settings: Settings) -> None:
    mine, lake = home(settings, spark)
    with pytest.raises(DataError, match="no series"):
        run(spark, mine, lake)
    put_daily(lake, daily(13))
    with pytest.raises(DataError, match="the lake has 13 complete days, 2023-01-01 to 2023-01-13: a forecast "
                                        "needs 14; ingest more"):  # fmt: skip
        run(spark, mine, lake)
