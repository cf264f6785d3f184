"""Stray clocks make no months, change no label and read nothing twice; older lakes are caught up with."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.lake import Lake
from tests.worlds.histories import (
    MONTHS,
    TABLES,
    contents,
    deliver,
    histories,
    prepared,
    some_features,
    write_catalogue,
)

FEW = some_features()[:30]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def strays(*times: str, kind: str = "PLAY") -> list[dict[str, Any]]:
    """One user's event, once for each time."""
    event = {
        "event_type": kind,
        "user_id": 1,
        "session_id": 77,
        "track_id": "t0-1" if kind == "PLAY" else None,
    }
    return [{"event_time": at(text), **event} for text in times]


def rows(lake: Lake, name: str) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(lake.rows(name)))


@pytest.fixture(scope="module")
def built(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Lake]:
    """Four months of events that end on 28 April, built."""
    worlds = histories(12)
    settings, lake = prepared(spark, tmp_path_factory.mktemp("spanned"))
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.events)
    report = build_features(spark, settings, lake, features=FEW)
    assert list(report.months) == MONTHS
    assert (report.span.start.date(), report.span.end.date()) == (date(2023, 1, 3), date(2023, 4, 29))
    assert [row["complete"] for row in report.labels] == [True, True, True, False]
    return settings, lake


def test_stray_clocks_make_no_months_and_change_no_label(
    built: tuple[Settings, Lake], spark: SparkSession
) -> None:
    settings, lake = built
    before = contents(lake)
    versions = {name: lake.version(name) for name in TABLES[1:]}
    many = [f"{year}-0{month}-11T10:00:00" for year in range(2024, 2031) for month in (1, 4, 8)]
    deliver(lake, strays("2031-05-05T12:00:00", "2001-02-03T04:05:06", *many))
    report = build_features(spark, settings, lake, features=FEW)
    assert (report.months, report.stale) == ([], [])
    assert {name: lake.version(name) for name in TABLES[1:]} == versions, "months of strays change no label"
    deliver(lake, strays("2031-05-06T12:00:00", kind="BUY_PREMIUM"))
    report = build_features(spark, settings, lake, features=FEW)
    assert (report.months, report.stale) == ([], [])
    assert (report.span.events_before, report.span.events_after) == (1, 23)
    after = contents(lake)
    assert {name: after[name] for name in TABLES[1:]} == {name: before[name] for name in TABLES[1:]}
    assert len(after["first_purchases"]) == len(before["first_purchases"]) + 1
    builds = rows(lake, "feature_builds")
    assert builds["inputs"].count() == len(MONTHS)
    assert builds.height == len(MONTHS) + 23, "months of strays are known, so that nobody reads them again"
    row = rows(lake, "data_span").filter(stage="features").to_dicts()[0]
    assert (row["last_event"], row["events_after"]) == (date(2031, 5, 6), 23)
    versions = {name: lake.version(name) for name in (*TABLES, "feature_builds", "data_span")}
    assert build_features(spark, settings, lake, features=FEW).months == []
    assert {name: lake.version(name) for name in versions} == versions
    full = build_features(spark, settings, lake, features=FEW, full=True)
    assert list(full.months) == MONTHS
    assert contents(lake) == after


def test_an_end_by_settings_moves_labels_and_builds_nothing(
    built: tuple[Settings, Lake], spark: SparkSession
) -> None:
    settings, lake = built
    label = settings.label.horizon_column
    before = contents(lake)
    ended = settings.model_copy(update={"data": settings.data.model_copy(update={"end": at("2023-04-15")})})
    report = build_features(spark, ended, lake, features=FEW)
    assert (report.months, report.span.overridden) == ([], True)
    assert [row["mature"] > 0 for row in report.labels] == [True, True, False, False]
    late = pl.col(label).is_not_null() & (pl.col("horizon_end") > ended.data.end)
    assert rows(lake, "labels").filter(late).is_empty()
    again = build_features(spark, settings, lake, features=FEW)
    assert (again.months, again.span.end) == ([], at("2023-04-29"))
    assert contents(lake) == before


def test_another_horizon_moves_labels_and_builds_nothing(
    built: tuple[Settings, Lake], spark: SparkSession
) -> None:
    settings, lake = built
    before = contents(lake)
    ten = settings.model_copy(update={"label": settings.label.model_copy(update={"horizon_days": 10})})
    report = build_features(spark, ten, lake, features=FEW)
    assert report.months == []
    assert "buys_within_10_days" in rows(lake, "labels").columns
    assert [row["mature"] > 0 for row in report.labels] == [True, True, True, False]
    build_features(spark, settings, lake, features=FEW)
    assert contents(lake) == before


@pytest.mark.parametrize("older", ["tables by month alone", "no purchases", "no days"])
def test_a_lake_of_the_last_release_is_caught_up_with(
    built: tuple[Settings, Lake], spark: SparkSession, older: str
) -> None:
    """Its tables of a stretch of months are built whole, in today's form, with the same rows."""
    settings, lake = built
    before = contents(lake)
    if older == "tables by month alone":
        for name in ("first_likes", "artist_debuts", "user_debuts", "user_month"):
            held = rows(lake, name).drop("user_bucket").to_arrow()
            schema = lake.schema(name)
            assert schema is not None
            fields = type(schema)([field for field in schema if field.name != "user_bucket"])
            lake.overwrite(held, schemas.Table(name, fields, ("month",), ("month",)))
    elif older == "no purchases":
        shutil.rmtree(Path(lake.path("first_purchases")))
    else:
        held = rows(lake, "feature_builds").select("month", "inputs", "files").to_arrow()
        ddl = "month date, inputs string, files string"
        lake.overwrite(pa.table(held), schemas.table("feature_builds", ddl, keys=["month"]))
        shutil.rmtree(Path(lake.path("data_span")))
    report = build_features(spark, settings, lake, features=FEW)
    assert (report.months, report.stale) == (MONTHS, [])
    assert report.whole_because == "the tables of features are of an older form: all months are built"
    assert contents(lake) == before
    assert rows(lake, "feature_builds").columns == list(schemas.FEATURE_BUILDS.columns)
    assert lake.exists("data_span")
    assert build_features(spark, settings, lake, features=FEW).months == []
