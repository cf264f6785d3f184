"""What a forecast is made of: its origin, buckets, the name of what decides it, columns known ahead."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import cast

import polars as pl
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, deciding, load_settings
from pozytywka_spark.errors import DataError, PozytywkaError, UsageError
from pozytywka_spark.forecasting.inputs import MOST_SERIES, Asked, asked_of
from pozytywka_spark.forecasting.known_file import read_known
from pozytywka_spark.forecasting.series_names import ESCAPED
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from tests.forecasting.made_series import FIRST, daily, put_daily, put_monthly

# the lake's small tables are read and written without Spark: any use of this fails
NO_SPARK = cast("SparkSession", object())
DAYS = 40
END = FIRST + timedelta(days=DAYS)


def lake_of(settings: Settings, rows: pl.DataFrame) -> Lake:
    lake = open_lake(settings, NO_SPARK)
    put_daily(lake, rows)
    return lake


def asked(settings: Settings, rows: pl.DataFrame, origin: date | None = None, *overrides: str) -> Asked:
    mine = load_settings("local", [f"home={settings.home}", *overrides])
    return asked_of(mine, lake_of(mine, rows), origin, None)


def test_the_origin_is_the_day_after_the_last(settings: Settings) -> None:
    found = asked(settings, daily(DAYS))
    assert (found.origin, found.first, found.horizon, found.series) == (END, FIRST, 35, 13)
    assert found.months is None
    assert "no forecast by months" in found.notes[0]


@pytest.mark.thorough
def test_the_run_s_name_follows_what_is_seen_and_asked(settings: Settings) -> None:
    rows, origin = daily(DAYS), FIRST + timedelta(days=30)
    name = asked(settings, rows, origin).run
    later = pl.col("day") >= origin
    assert asked(settings, rows.filter(~later), origin).run == name
    assert (
        asked(
            settings, rows.with_columns(pl.when(later).then(0.0).otherwise("value").alias("value")), origin
        ).run
        == name
    )
    nudged = rows.with_columns(pl.col("value") + (pl.int_range(pl.len()) == 7) * 1e-9)
    names = {
        name,
        asked(settings, nudged, origin).run,
        asked(settings, rows, origin + timedelta(days=1)).run,
        asked(settings, rows.filter(pl.col("measure") != "plays"), origin).run,
        asked(settings, rows, origin, "forecast.horizon_days=34").run,
        asked(settings, rows, origin, "forecast.origins=3").run,
        asked(settings, rows, origin, "forecast.model_seconds=3").run,
        asked(settings, rows, origin, "forecast.history_days=28").run,
    }
    assert len(names) == 8
    assert asked(settings, rows, origin, "forecast.false_alarms=2").run == name, "alarms are another's affair"


def test_models_are_told_who_joined_and_the_run_s_name_follows(
    settings: Settings,
) -> None:
    rows = daily(DAYS)
    new = rows.filter(measure="plays").with_columns(measure=pl.lit("new_users"))
    without = asked(settings, rows)
    assert {bucket.spec.joined for bucket in without.buckets} == {None}
    lake = lake_of(settings, rows)
    put_monthly(lake, new)
    found = asked_of(settings, lake, None, None)
    joined = found.buckets[0].spec.joined
    assert joined is not None
    months = new.filter((pl.col("day") < date(2023, 2, 1)) & (pl.col("group_id") == "all"))
    sums = months.group_by("city").agg(pl.col("value").sum())
    escaped = {city.replace("|", ESCAPED): (pytest.approx(value),) for city, value in sums.rows()}
    assert joined.counts == escaped
    assert found.run != without.run
    assert asked_of(settings, lake, date(2023, 1, 20), None).buckets[0].spec.joined is None, "none is over"


def test_series_of_places_where_nothing_happened_are_none(settings: Settings) -> None:
    rows = daily(DAYS)
    unborn = rows.filter(pl.col("city") == "a|b").with_columns(city=pl.lit("Nowa"), value=pl.lit(0.0))
    assert asked(settings, pl.concat([rows, unborn])).series == 13
    silent = rows.with_columns(
        pl.when(pl.col("measure") == "adverts").then(0.0).otherwise("value").alias("value")
    )
    assert asked(settings, silent).series == 13, "zeros of a place where other things happen stay"


def test_buckets_are_of_one_measure_of_equal_size_and_the_largest_come_first(settings: Settings) -> None:
    total = daily(DAYS).filter(pl.col("city") == "all")
    many = [total.filter(measure="plays").with_columns(city=pl.lit(f"c{n}")) for n in range(2 * MOST_SERIES)]
    found = asked(settings, pl.concat([total, *many]))
    sizes = [len(bucket.series) for bucket in found.buckets]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == total.select("measure").n_unique() + 2 * MOST_SERIES
    assert sizes[:3] == [17, 17, 17]
    for bucket in found.buckets:
        assert {name.partition("|")[0] for name in bucket.series} == {bucket.measure}
    names = [name for bucket in found.buckets for name in bucket.series]
    assert len(set(names)) == len(names)


def test_what_a_purchase_and_an_advert_bring_decides_forecasts() -> None:
    """Revenue is made of them: MLflow's run has them among its settings."""
    decisive = deciding(load_settings("local", []), "forecast")
    assert {"scoring.policy.value_of_sale", "simulation.costs.advert_income"} <= set(decisive)


def test_days_that_an_operator_has_named_are_no_history(settings: Settings) -> None:
    rows, day = daily(DAYS), FIRST + timedelta(days=20)
    plain, named = asked(settings, rows), asked(settings, rows, None, f'forecast.known_days=["{day}"]')
    assert (plain.odd, named.odd) == ((), (day,))
    assert named.run != plain.run
    ahead = asked(settings, rows, None, f'forecast.known_days=["{END}", "2022-12-31"]')
    assert (ahead.odd, ahead.run) == ((), plain.run), "days outside of the history change nothing"
    most = [f"{FIRST + timedelta(days=number)}" for number in range(27)]
    with pytest.raises(DataError, match=r"forecast\.known_days leaves 13 days before 2023-02-10"):
        asked(settings, rows, None, f"forecast.known_days={json.dumps(most)}")


def test_genre_groups_of_a_city_with_few_plays_have_quick_models_only(settings: Settings) -> None:
    total = daily(DAYS).filter(pl.col("city") == "all", pl.col("measure").is_in(["plays", "likes"]))
    busy, idle = (
        total.with_columns(city=pl.lit("Łódź"), group_id=pl.lit(group), value=pl.col("value") / part)
        for group, part in (("pop", 2.0), ("jazz", 100.0))
    )
    found = asked(settings, pl.concat([total, busy, idle]))
    models = {name: bucket.spec.models for bucket in found.buckets for name in bucket.series}
    assert {name for name, of in models.items() if "calendar" not in of} == {"plays|Łódź|jazz"}
    assert set(models["plays|all|all"]) - set(models["plays|Łódź|jazz"]) == {"calendar", "arima"}


def test_a_horizon_beyond_a_year_is_refused(settings: Settings) -> None:
    mine = load_settings("local", [f"home={settings.home}"])
    with pytest.raises(UsageError, match="--horizon 401: expected 400 days at most"):
        asked_of(mine, lake_of(mine, daily(DAYS)), None, 401)


def test_a_city_that_only_later_days_know_changes_no_run(settings: Settings) -> None:
    """Who joined by month is known of cities that were there."""
    origin = FIRST + timedelta(days=60)
    plays = daily(70).filter(pl.col("measure") == "plays")
    rows = pl.concat([plays, plays.with_columns(measure=pl.lit("new_users"))])
    later = pl.when(pl.col("day") >= origin).then(pl.col("value")).otherwise(0.0)
    nowa = rows.filter(pl.col("city") == "Łódź").with_columns(city=pl.lit("Nowa"), value=later)
    names = []
    for place, each in (("before", rows), ("after", pl.concat([rows, nowa]))):
        mine = load_settings("local", [f"home={settings.home}/{place}"])
        lake = lake_of(mine, each)
        put_monthly(lake, each)
        found = asked_of(mine, lake, origin, None)
        assert any(bucket.spec.joined for bucket in found.buckets)
        names.append(found.run)
    assert names[0] == names[1]


def write(folder: Path, text: str, name: str = "known.csv") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


FOUR = "day,sale,tv\n2023-01-01,1,0.5\n2023-01-02,0,1.5\n2023-01-03,0,2\n2023-01-04,1,0\n"


def test_columns_known_ahead_are_cut_to_the_days_asked_for(tmp_path: Path) -> None:
    found = read_known(write(tmp_path, FOUR), date(2023, 1, 2), date(2023, 1, 4))
    assert found.rows() == [(date(2023, 1, 2), 0.0, 1.5), (date(2023, 1, 3), 0.0, 2.0)]
    found.write_parquet(tmp_path / "known.parquet")
    assert read_known(f"{tmp_path}/known.parquet", date(2023, 1, 2), date(2023, 1, 4)).equals(found)


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        (FOUR.replace("day", "date"), UsageError, "it has no column day; it has: date, sale, tv"),
        ("day\n2023-01-01\n", UsageError, "it has no column beside day"),
        (FOUR.replace("2023-01-03", "3 January"), DataError, "row 4: day '3 January' is none such as"),
        (FOUR + "2023-01-02,0,0\n", DataError, "row 6: 2023-01-02 is there twice"),
        (
            FOUR.replace("2023-01-03,0,2\n", ""),
            DataError,
            "2023-01-03 is missing; it must have every day from",
        ),
        (
            FOUR.replace("1.5", "much"),
            DataError,
            "row 3: tv is 'much' on 2023-01-02; expected a finite number",
        ),
        (FOUR.replace("1.5", "inf"), DataError, "row 3: tv is inf on 2023-01-02"),
        (FOUR.replace("1.5", ""), DataError, "row 3: tv is None on 2023-01-02"),
    ],
)
def test_a_file_of_known_columns_that_isn_t_one(
    tmp_path: Path, text: str, kind: type[PozytywkaError], told: str
) -> None:
    with pytest.raises(kind, match=r"forecast\.known") as caught:
        read_known(write(tmp_path, text), date(2023, 1, 1), date(2023, 1, 5))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_file_of_known_columns(tmp_path: Path) -> None:
    for name, told in (("none.csv", "there is no such file"), ("none.txt", "expected a file that ends in")):
        with pytest.raises(UsageError, match=told):
            read_known(f"{tmp_path}/{name}", date(2023, 1, 1), date(2023, 1, 5))
