"""Stray clocks make no months, change no label and read nothing twice; older lakes are caught up with."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from functools import reduce
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.config import Label, Settings
from pozytywka_spark.dataspan import DataSpan
from pozytywka_spark.features.labels import as_labels
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.lake import Lake
from tests.features.silver import write_silver
from tests.features.test_incremental import TABLES, content, histories, prepared, some_features

MONTHS = [date(2023, month, 1) for month in (1, 2, 3, 4)]
FEW = some_features()[:30]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def strays(events: DataFrame, *times: str, kind: str = "PLAY") -> DataFrame:
    """One event of the table dated anew, once for each time."""
    one = events.where("event_type = 'PLAY'").orderBy("event_id").limit(1)
    made = [
        one.withColumns(
            {
                "event_id": F.lit(f"stray {kind} {text}".encode()),
                "event_time": F.lit(at(text)),
                "event_type": F.lit(kind),
                "event_month": F.lit(at(text).date().replace(day=1)),
            }
        )
        for text in times
    ]
    return schemas.EVENTS.conform(reduce(DataFrame.unionByName, made))


@pytest.fixture(scope="module")
def built(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Lake]:
    """Four months of events that end on 28 April, built."""
    silver, deliveries = histories(spark, 12)
    settings, lake = prepared(spark, tmp_path_factory.mktemp("spanned"))
    write_silver(lake, {**silver, "events": reduce(DataFrame.unionByName, deliveries)})
    report = build_features(spark, settings, lake, features=FEW)
    assert list(report.months) == MONTHS
    assert (report.span.start.date(), report.span.end.date()) == (date(2023, 1, 3), date(2023, 4, 29))
    assert [row["complete"] for row in report.labels] == [True, True, True, False]
    return settings, lake


def test_stray_clocks_make_no_months_and_change_no_label(
    built: tuple[Settings, Lake], spark: SparkSession
) -> None:
    settings, lake = built
    before = {name: content(lake.read(name)) for name in TABLES}
    events = lake.read("events").persist()
    lake.append(strays(events, "2031-05-05T12:00:00", "2001-02-03T04:05:06"), schemas.EVENTS)
    lake.append(strays(events, "2031-05-06T12:00:00", kind="BUY_PREMIUM"), schemas.EVENTS)
    many = [f"{year}-0{month}-11T10:00:00" for year in range(2024, 2031) for month in (1, 4, 8)]
    lake.append(strays(events, *many), schemas.EVENTS)
    events.unpersist()
    report = build_features(spark, settings, lake, features=FEW)
    assert (report.months, report.stale) == ([], [])
    assert (report.span.events_before, report.span.events_after) == (1, 23)
    assert {name: content(lake.read(name)) for name in TABLES} == before
    builds = lake.read("feature_builds")
    assert builds.where("inputs is not null").count() == len(MONTHS)
    assert builds.count() == len(MONTHS) + 23, "months of strays are known, so that nobody reads them again"
    row = lake.read("data_span").where("stage = 'features'").collect()[0]
    assert (row["last_event"], row["events_after"]) == (date(2031, 5, 6), 23)
    versions = {name: lake.version(name) for name in (*TABLES, "feature_builds", "data_span")}
    assert build_features(spark, settings, lake, features=FEW).months == []
    assert {name: lake.version(name) for name in versions} == versions
    full = build_features(spark, settings, lake, features=FEW, full=True)
    assert list(full.months) == MONTHS
    assert {name: content(lake.read(name)) for name in TABLES} == before


def test_an_end_by_settings_moves_labels_and_builds_nothing(
    built: tuple[Settings, Lake], spark: SparkSession
) -> None:
    settings, lake = built
    label = settings.label.horizon_column
    ended = settings.model_copy(update={"data": settings.data.model_copy(update={"end": at("2023-04-15")})})
    report = build_features(spark, ended, lake, features=FEW)
    assert (report.months, report.span.overridden) == ([], True)
    assert [row["mature"] > 0 for row in report.labels] == [True, True, False, False]
    late = F.col(label).isNotNull() & (F.col("horizon_end") > F.lit(ended.data.end))
    assert lake.read("labels").where(late).isEmpty()
    again = build_features(spark, settings, lake, features=FEW)
    assert (again.months, again.span.end) == ([], at("2023-04-29"))


def test_a_lake_of_the_last_release_is_caught_up_with(
    built: tuple[Settings, Lake], spark: SparkSession
) -> None:
    settings, lake = built
    before = {name: content(lake.read(name)) for name in TABLES}
    for name, new in (("feature_builds", "days"), ("labels", "complete")):
        held = lake.read(name).drop(new)
        rows = spark.createDataFrame(held.where("true").toPandas(), held.schema)
        partitions = ["month"] if name == "labels" else []
        lake.overwrite(rows, schemas.Table(name, held.schema, ("month",), tuple(partitions)))
    shutil.rmtree(Path(lake.path("data_span")))
    report = build_features(spark, settings, lake, features=FEW)
    assert (report.months, report.stale) == ([], [])
    assert {name: content(lake.read(name)) for name in TABLES} == before
    assert lake.read("feature_builds").columns == list(schemas.FEATURE_BUILDS.columns)
    assert lake.exists("data_span")


def test_a_purchase_beyond_the_end_is_no_label(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [(user, month) for user in (1, 2, 3, 4) for month in MONTHS[:3]], "user_id bigint, month date"
    )
    bought = [(1, at("2023-02-10")), (2, at("2031-05-05")), (3, at("2023-04-03"))]
    purchases = spark.createDataFrame(bought, "user_id bigint, purchased_at timestamp")
    span = DataSpan(at("2023-01-20"), at("2023-04-03"), date(2023, 1, 20), date(2031, 5, 5))
    found = as_labels(rows, purchases, span, Label(horizon_days=30)).orderBy("user_id", "month").collect()
    told = ("month", "mature", "buys_within_30_days", "buys_ever", "complete")
    january, february, march = MONTHS[:3]
    assert [tuple(row[name] for name in ("user_id", *told)) for row in found] == [
        (1, january, True, 1, 1, False), (1, february, True, 1, 1, True), (1, march, False, None, 1, True),
        (2, january, True, 0, 0, False), (2, february, True, 0, 0, True), (2, march, False, None, 0, True),
        (3, january, True, 0, 0, False), (3, february, True, 0, 0, True), (3, march, False, None, 0, True),
        (4, january, True, 0, 0, False), (4, february, True, 0, 0, True), (4, march, False, None, 0, True),
    ]  # fmt: skip
