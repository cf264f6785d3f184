"""Maintenance: old files go, what a registered model came from stays, and without MLflow nothing goes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from test_store_trouble import copied_store

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.errors import TrackingError
from pozytywka_spark.lake import open_lake
from pozytywka_spark.tracking import registry, retention, runs
from pozytywka_spark.tracking.store import connect
from tests.worlds.trained import Trained


def test_only_what_no_model_needs_is_deleted(spark: SparkSession, tmp_path: Path) -> None:
    settings = load_settings("local", [f"home={tmp_path}", "lake.retention_hours=0"])
    lake = open_lake(settings, spark)
    for cost in (1.0, 2.0, 3.0):
        lake.overwrite(
            spark.createDataFrame([("t", "SLOW", cost)], schemas.TRACK_STORAGE.schema), schemas.TRACK_STORAGE
        )
    tracking = connect(settings)
    _register(tracking, "one", {"pozytywka.delta.track_storage": "1", registry.LAKE: lake.root})
    # models of another lake, and a version that was lost long ago, must not stop the work
    _register(tracking, "two", {"pozytywka.delta.track_storage": "0", registry.LAKE: "/elsewhere"})
    _register(tracking, "one", {"pozytywka.delta.track_storage": "77", registry.LAKE: lake.root})
    assert registry.pinned_versions(tracking, lake.root) == {"track_storage": {1, 77}}
    found = {kept.table: kept for kept in retention.maintain(settings, lake)}["track_storage"]
    assert (found.deleted, found.pinned, found.lost) == (1, (1,), (77,))
    assert lake.read("track_storage", version=1).first()["daily_cost"] == 2.0
    assert lake.read("track_storage").first()["daily_cost"] == 3.0
    assert len([*Path(lake.path("track_storage")).glob("*.parquet")]) == 2
    again = {kept.table: kept for kept in retention.maintain(settings, lake)}["track_storage"]
    assert (again.deleted, again.compacted) == (0, False)


def test_without_mlflow_nobody_knows_the_pins_and_nothing_is_deleted(
    spark: SparkSession, trained: Trained, tmp_path: Path
) -> None:
    store = copied_store(trained, tmp_path)
    settings = load_settings(
        "local", [f"home={tmp_path}", "lake.retention_hours=0", f"mlflow.tracking_uri=sqlite:///{store}"]
    )
    lake = open_lake(settings, spark)
    for cost in (1.0, 2.0):
        lake.overwrite(
            spark.createDataFrame([("t", "SLOW", cost)], schemas.TRACK_STORAGE.schema), schemas.TRACK_STORAGE
        )
    out_of_reach = settings.model_copy(
        update={"mlflow": settings.mlflow.model_copy(update={"tracking_uri": "nonsense://x"})}
    )
    with pytest.raises(TrackingError):
        retention.maintain(out_of_reach, lake)
    assert lake.read("track_storage", version=0).first()["daily_cost"] == 1.0


def test_every_table_that_jobs_write_is_maintained(settings: Settings) -> None:
    names = retention.table_names(settings)
    assert {"events", "user_month", "features", "labels", "predictions", "quarantine", "ingests"} <= set(
        names
    )
    assert len(names) == len(set(names))


def _register(tracking: object, model: str, tags: dict[str, str]) -> None:
    named = replace(tracking, model_name=model)
    with runs.run(named, "training", tags=tags) as parent:
        pass
    if not named.client.search_registered_models(f"name = '{model}'"):
        named.client.create_registered_model(model)
    tags = {registry.TRAINING_RUN: parent}
    named.client.create_model_version(model, f"runs:/{parent}/model", parent, tags=tags)
