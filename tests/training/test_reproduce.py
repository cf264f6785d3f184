"""A run trained again from its pinned tables is the same to the byte, wherever the tables are by now."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from trained import Trained

from pozytywka_spark.errors import TrackingError
from pozytywka_spark.schemas import features_table
from pozytywka_spark.training.reproduce import reproduce, settings_of
from pozytywka_spark.training.tracking.registry import pinned_versions
from pozytywka_spark.training.tracking.store import connect


def test_a_run_is_reproduced_from_its_versions_after_the_tables_moved_on(
    trained: Trained, spark: SparkSession
) -> None:
    table = features_table(trained.order)
    before = trained.lake.version("features")
    trained.lake.overwrite(trained.lake.read("features").limit(10), table)
    try:
        found = reproduce(spark, trained.settings, trained.lake, trained.report.run_id)
    finally:
        trained.lake.overwrite(trained.lake.read("features", version=before), table)
    same = {row["what"]: row["same"] for row in found.rows}
    assert {"booster", "catalogue", "rows, settings, code and libraries", "roc_auc", "log_loss_low"} <= set(
        same
    )
    assert found.same, [row for row in found.rows if not row["same"]]


def test_a_vacuum_that_keeps_the_pins_leaves_what_a_model_was_trained_on(trained: Trained) -> None:
    pins = pinned_versions(connect(trained.settings))
    assert set(pins) >= {"features", "labels"}
    table, before = features_table(trained.order), trained.lake.version("features")
    rows = trained.lake.read("features", version=min(pins["features"])).count()
    trained.lake.overwrite(trained.lake.read("features", version=before), table)
    trained.lake.vacuum("features", retention_hours=0, keep_versions=sorted(pins["features"]))
    assert trained.lake.read("features", version=min(pins["features"])).count() == rows


def test_an_unknown_run_is_named(trained: Trained, spark: SparkSession) -> None:
    with pytest.raises(TrackingError, match="run 0123 is not a finished training"):
        reproduce(spark, trained.settings, trained.lake, "0123")
    tracking = connect(trained.settings)
    child = tracking.client.search_runs([tracking.experiment_id], "tags.mlflow.runName = 'majority'")[0]
    with pytest.raises(TrackingError, match="is not a finished training"):
        reproduce(spark, trained.settings, trained.lake, child.info.run_id)


def test_logged_settings_keep_todays_places_and_unknown_ones_are_told(trained: Trained) -> None:
    logged = trained.settings.resolved()
    logged["training"] = logged["training"] | {"seed": 99}
    logged["lake"] = {"root": "/nowhere", "engine": "delta-rs"}
    again = settings_of(logged, trained.settings)
    assert (again.training.seed, again.lake) == (99, trained.settings.lake)
    logged["training"] = logged["training"] | {"boost": 1}
    with pytest.raises(TrackingError, match=r"setting training\.boost is not one of today's code"):
        settings_of(logged, trained.settings)
