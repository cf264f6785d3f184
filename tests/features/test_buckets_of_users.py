"""Features don't see in how many buckets of users events lie."""

from __future__ import annotations

from functools import reduce
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from pozytywka_spark.experiments.population import members
from pozytywka_spark.features.inputs import _files_by_month
from pozytywka_spark.features.months import month_at, number_of
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.relayout import rebucket
from tests.features.silver import write_silver
from tests.features.test_incremental import TABLES, content, histories, prepared, some_features

FEW = some_features()[:12]


def test_features_of_four_buckets_are_those_of_one(spark: SparkSession, tmp_path: Path) -> None:
    silver, deliveries = histories(spark, 4)
    settings, lake = prepared(spark, tmp_path)
    write_silver(lake, {**silver, "events": reduce(DataFrame.unionByName, deliveries)})
    built = build_features(spark, settings, lake, features=FEW).months
    before = {name: content(lake.read(name)) for name in TABLES}
    february = month_at(number_of(built[0]) + 1)
    active = content(members(lake, "active", february))
    rebucket(settings, lake, 4)
    users = lake.read("events").groupBy("user_bucket").agg({"user_id": "count"}).count()
    assert users == 4, "every bucket has users, or this test shows nothing"
    again = build_features(spark, settings, lake, features=FEW)
    assert (again.months, again.stale) == ([], []), "the same events in other files make nothing stale"
    assert content(members(lake, "active", february)) == active
    assert list(build_features(spark, settings, lake, features=FEW, full=True).months) == list(built)
    assert {name: content(lake.read(name)) for name in TABLES} == before


def test_a_months_files_are_those_of_all_its_buckets() -> None:
    one = "event_month=2023-01-01/user_bucket=0/a.parquet"
    other = "event_month=2023-01-01/user_bucket=1/b.parquet"
    later = "file:/lake=1/events/event_month=2023-02-01/user_bucket=0/c.parquet"
    found = _files_by_month([one, other, later])
    assert [month.isoformat() for month in found] == ["2023-01-01", "2023-02-01"]
    assert found == _files_by_month([later, other, one])
    assert found != _files_by_month([one, later])
