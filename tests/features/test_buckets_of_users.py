"""Features don't see in how many buckets of users events lie, nor in which files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.experiments.assignment.population import find_members
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.ingest.relayout import rebucket
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.months import next_month
from tests.worlds.histories import (
    TABLES,
    contents,
    deliver,
    histories,
    prepared,
    some_features,
    write_catalogue,
)

FEW = some_features()[:12]
STATE = ("first_likes", "artist_debuts", "user_debuts", "user_month")


def buckets(lake: Lake, name: str) -> set[int]:
    return set(pl.DataFrame(pl.from_arrow(lake.rows(name, ["user_bucket"])))["user_bucket"].unique())


def members(lake: Lake, at: date) -> list[int]:
    with lake.tasks() as tasks:
        return sorted(tasks.fetch(find_members(lake, tasks, "active", at))["user_id"].unique())


def test_features_of_four_buckets_are_those_of_one(spark: SparkSession, tmp_path: Path) -> None:
    """Another number of buckets makes nothing stale; once a month is, all are built, in the new buckets."""
    worlds = histories(4)
    settings, lake = prepared(spark, tmp_path)
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.events)
    built = build_features(spark, settings, lake, features=FEW).months
    before = contents(lake)
    february = next_month(built[0])
    active = members(lake, february)
    rebucket(settings, lake, 4)
    assert buckets(lake, "events") == {0, 1, 2, 3}, "every bucket has users, or this test shows nothing"
    again = build_features(spark, settings, lake, features=FEW)
    assert (again.months, again.stale) == ([], []), "the same events in other files make nothing stale"
    assert members(lake, february) == active
    assert contents(lake) == before
    extra = [worlds.events[-1] | {"session_id": 999_999_999}]
    deliver(lake, extra)
    report = build_features(spark, settings, lake, features=FEW)
    assert list(report.months) == list(built)
    assert report.whole_because == "events lie in 4 buckets of users, features in 1: all months are built"
    assert all(buckets(lake, name) == {0, 1, 2, 3} for name in STATE)
    settings, whole = prepared(spark, tmp_path / "whole")
    write_catalogue(whole, worlds.catalogue)
    deliver(whole, [*worlds.events, *extra])
    build_features(spark, settings, whole, features=FEW)
    assert contents(lake) == contents(whole)
    assert build_features(spark, settings, lake, features=FEW).whole_because is None


@pytest.mark.parametrize("noted", [True, False], ids=["noted", "unnoted"])
def test_compacted_events_make_nothing_stale(spark: SparkSession, tmp_path: Path, noted: bool) -> None:
    worlds = histories(2)
    settings, lake = prepared(spark, tmp_path)
    write_catalogue(lake, worlds.catalogue)
    for part in (worlds.events[::2], worlds.events[1::2]):
        deliver(lake, part, noted=noted)
    build_features(spark, settings, lake, features=FEW)
    versions = {name: lake.version(name) for name in TABLES}
    assert lake.compact("events") is not None
    report = build_features(spark, settings, lake, features=FEW)
    assert (report.months, report.stale, report.guards) == ([], [], [])
    assert {name: lake.version(name) for name in TABLES} == versions
