"""What can't be reproduced is told; that a run can is in test_tuned_run."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from trained import Trained

from pozytywka_spark.errors import TrackingError
from pozytywka_spark.tracking.store import connect
from pozytywka_spark.training.reproduce import reproduce, settings_of


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
