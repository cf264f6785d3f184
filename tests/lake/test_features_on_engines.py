"""Features are the same on every engine: local, on S3, and where Spark itself keeps the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import load_settings
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.lake.api import Lake
from tests.lake.conftest import Bench
from tests.worlds.histories import (
    MONTHS,
    contents,
    deliver,
    histories,
    prepared,
    some_features,
    write_catalogue,
)

FEW = some_features()[:30]
WORLDS = histories(3)
# two months show a month more: each has a dozen tables, and files of a store take their time
MARCH, APRIL = ([event for event in WORLDS.events if event["event_time"].month == month] for month in (3, 4))


def hashes(lake: Lake) -> list[tuple[Any, ...]]:
    rows = lake.rows("feature_builds", ["month", "inputs", "event_hash", "catalogue", "labels"]).to_pylist()
    return sorted((row["month"], row["inputs"], row["event_hash"], row["labels"]) for row in rows)


@pytest.fixture(scope="module")
def expected(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """What a full build on a local folder makes."""
    settings, lake = prepared(spark, tmp_path_factory.mktemp("expected"))
    write_catalogue(lake, WORLDS.catalogue)
    deliver(lake, [*MARCH, *APRIL])
    build_features(spark, settings, lake, features=FEW)
    return contents(lake), hashes(lake)


def test_a_month_more_ends_as_a_full_build_does(
    bench: Bench, expected: tuple[Any, Any], tmp_path: Path
) -> None:
    settings = load_settings("local", [f"home={tmp_path}"])
    lake = bench.lake
    write_catalogue(lake, WORLDS.catalogue)
    deliver(lake, MARCH)
    assert build_features(bench.spark, settings, lake, features=FEW).months == MONTHS[2:3]
    deliver(lake, APRIL)
    report = build_features(bench.spark, settings, lake, features=FEW)
    assert (report.months, report.guards[-1].guard) == (MONTHS[3:], "perturbation")
    assert contents(lake) == expected[0]
    assert hashes(lake) == expected[1]
    assert build_features(bench.spark, settings, lake, features=FEW).months == []
