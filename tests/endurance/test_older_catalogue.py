"""A lake whose later months were built by this catalogue and whose earlier ones by one before it."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.config import load_settings
from pozytywka_spark.features.declared.catalogue import CATALOGUE
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.lake import open_lake
from pozytywka_spark.months import months_between
from tests.endurance.endured import end_state, overrides


@pytest.mark.parametrize("older", [("2022-03-01",), ("2022-01-01", "2022-05-01"), ("2022-07-01",)])
def test_months_of_an_older_catalogue_are_built_again(
    spark: SparkSession,
    raw: Path,
    undisturbed: tuple[Path, dict[str, Any]],
    tmp_path: Path,
    older: tuple[str, ...],
) -> None:
    home = tmp_path / "home"
    shutil.copytree(undisturbed[0], home)
    chosen = overrides(home, raw)
    settings = load_settings("local", chosen)
    lake = open_lake(settings, spark)
    is_older = F.col("month").isin(*(F.lit(month).cast("date") for month in older))
    # what another arithmetic would have left: other numbers, and the fingerprint of other inputs
    numbers = F.when(is_older, F.col("number_of_tracks") + 1000).otherwise(F.col("number_of_tracks"))
    wrong = lake.read("features").withColumns({"number_of_tracks": numbers}).localCheckpoint()
    table = schemas.features_table([feature.name for feature in CATALOGUE])
    lake.overwrite(table.conform(wrong), table)
    inputs = F.when(is_older, F.lit("of an older catalogue")).otherwise(F.col("inputs"))
    builds = lake.read("feature_builds").withColumns({"inputs": inputs}).localCheckpoint()
    lake.overwrite(schemas.FEATURE_BUILDS.conform(builds), schemas.FEATURE_BUILDS)
    assert end_state(spark, *chosen)["features"] != undisturbed[1]["features"]
    report = build_features(spark, settings, lake)
    first, last = (date.fromisoformat(month) for month in (older[0], older[-1]))
    assert tuple(report.months) == months_between(first, last)  # one stretch, whatever lies between
    assert not report.stale
    assert end_state(spark, *chosen) == undisturbed[1]
