"""What tasks run, without Spark: whole rows out, cities that add up, no look ahead, names of any kind."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import polars as pl
import pyarrow as pa
import pytest

from pozytywka_spark.forecasting.bucket_work import ProposeBucket, SettleMeasure
from pozytywka_spark.forecasting.series_names import series_name
from pozytywka_spark.forecasting.spec import Spec
from pozytywka_spark.forecasting.stored import ALL, KEYS
from pozytywka_spark.forecasting.task_rows import ROWS, SAID, schema_of
from tests.forecasting.made_series import CITIES, FIRST, daily

DAYS, HORIZON = 75, 7
END = FIRST + timedelta(days=DAYS)
# quick ones: which models there are is for their own tests
MODELS = ("theta", "trees")


def spec(origin: date = END, **more: object) -> Spec:
    return Spec(HORIZON, origins=3, origin=f"{origin}", models=MODELS, **more)  # type: ignore[arg-type]


def named(rows: pl.DataFrame, measure: str = "plays") -> pa.Table:
    mine = rows.filter(pl.col("measure") == measure)
    names = [series_name(*keys) for keys in mine.select(KEYS).rows()]
    return mine.select(series=pl.Series(names), day="day", value="value").to_arrow()


def settled(rows: pa.Table, asked: Spec, buckets: int = 1) -> pl.DataFrame:
    """Through both tasks; the series in so many buckets."""
    names = sorted(set(rows.column("series").to_pylist()))
    frame = pl.DataFrame(pl.from_arrow(rows))
    said = []
    for number in range(buckets):
        mine = frame.filter(pl.col("series").is_in(names[number::buckets])).sort("value")  # in any order
        said.append(ProposeBucket({number: ("plays", asked)})(number, mine.to_arrow()))
    whole = pa.concat_tables(said[::-1])
    assert whole.schema == schema_of(SAID)
    made = SettleMeasure({("D", "plays"): asked})("D", "plays", whole)
    assert made.schema == schema_of(ROWS)
    return pl.DataFrame(made)


@pytest.fixture(scope="module")
def made() -> pl.DataFrame:
    return settled(named(daily(DAYS)), spec())


@pytest.mark.thorough
def test_every_series_has_a_forecast_under_its_own_name(made: pl.DataFrame) -> None:
    forecasts = made.filter(kind="forecast")
    assert forecasts.height == 3 * HORIZON
    assert set(forecasts.select(KEYS).unique().rows()) == {("plays", city, ALL) for city in (ALL, *CITIES)}
    assert forecasts.get_column("day").unique().sort().to_list() == [
        END + timedelta(days=n) for n in range(HORIZON)
    ]
    assert set(forecasts.get_column("origin")) == {END}
    bounds = ["low_90", "low_80", "mean", "high_80", "high_90"]
    rising = [pl.col(low) <= pl.col(high) for low, high in pairwise(bounds)]
    assert forecasts.filter(pl.all_horizontal(*rising, pl.col("low_90") >= 0)).height == forecasts.height


@pytest.mark.thorough
def test_cities_add_up_ahead_and_in_the_backtest(made: pl.DataFrame) -> None:
    of_both = made.filter((pl.col("kind") == "forecast") | (pl.col("model") == "combined"))
    on = ["kind", "origin", "day"]
    parts = of_both.filter(pl.col("city") != ALL).group_by(on).agg(parts=pl.col("mean").sum())
    beside = of_both.filter(pl.col("city") == ALL).join(parts, on=on)
    assert beside.height == HORIZON + 3 * HORIZON
    assert beside.select((pl.col("mean") - pl.col("parts")).abs().max()).item() < 1e-6


def test_errors_stand_beside_what_came_and_have_the_other_origins_intervals(made: pl.DataFrame) -> None:
    errors = made.filter(kind="error")
    assert set(errors.get_column("model")) >= {"combined", "seasonal_naive", *MODELS}
    actual = daily(DAYS).rename({"value": "came"})
    beside = errors.join(actual, on=[*KEYS, "day"], how="left")
    assert (beside.get_column("actual") == beside.get_column("came")).all()
    assert (
        beside.filter(pl.col("day") != pl.col("origin") + pl.duration(days=pl.col("ahead") - 1)).height == 0
    )
    mine, others = errors.filter(model="combined"), errors.filter(pl.col("model") != "combined")
    assert others.get_column("low_90").null_count() == others.height
    assert mine.get_column("low_90").null_count() == 0
    assert (mine.get_column("high_90") >= mine.get_column("high_80")).all()
    # an origin that was far off widens the others' intervals, not its own
    worst = mine.filter(pl.col("city") == ALL).group_by("origin").agg(
        pl.col("scaled").mean(), width=(pl.col("high_90") - pl.col("low_90")).mean()
    ).sort("scaled")  # fmt: skip
    assert worst.row(-1, named=True)["width"] < worst.row(0, named=True)["width"]


def test_buckets_change_nothing(made: pl.DataFrame) -> None:
    assert settled(named(daily(DAYS)), spec(), buckets=3).equals(made)


def test_days_from_the_origin_on_change_no_bit() -> None:
    rows, origin = daily(DAYS), FIRST + timedelta(days=60)
    later = pl.col("day") >= origin
    tenfold = rows.with_columns(pl.when(later).then(pl.col("value") * 10).otherwise(pl.col("value")))
    expected = settled(named(rows.filter(~later)), spec(origin))
    assert settled(named(tenfold), spec(origin)).equals(expected)


def test_a_series_of_zeros_is_forecast_as_nothing() -> None:
    rows = daily(DAYS).with_columns(
        pl.when(pl.col("city") == CITIES[1]).then(0.0).otherwise("value").alias("value")
    )
    total = rows.filter(city=CITIES[0]).with_columns(city=pl.lit(ALL))
    whole = pl.concat([rows.filter(pl.col("city") != ALL), total]).sort(*KEYS, "day")
    made = settled(named(whole), spec())
    mine = made.filter((pl.col("kind") == "forecast") & (pl.col("city") == CITIES[1]))
    assert mine.height == HORIZON
    assert mine.get_column("mean").abs().max() == pytest.approx(0, abs=1e-9)
