"""A feature that leaks on purpose stops the build, and nothing of it is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.guards.canary import CANARY
from pozytywka_spark.features.stage import build_features, send_canary
from tests.worlds.histories import TABLES, deliver, histories, prepared, some_features, write_catalogue


def test_the_canary_is_stopped_and_nothing_is_kept(spark: SparkSession, tmp_path: Path) -> None:
    worlds = histories(12)
    settings, lake = prepared(spark, tmp_path)
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.events)
    guarded = settings.model_copy(
        update={"guards": settings.guards.model_copy(update={"perturbation": True})}
    )
    with pytest.raises(GuardError, match=r"guard perturbation: feature canary of user \d+, month 2023"):
        send_canary(spark, guarded, lake)
    blind = settings.model_copy(update={"guards": settings.guards.model_copy(update={"perturbation": False})})
    with pytest.raises(GuardError, match="no guard stopped the canary, feature canary"):
        send_canary(spark, blind, lake)
    assert not any(lake.exists(name) for name in TABLES)


def test_a_leak_that_models_are_not_given_is_stopped_too(spark: SparkSession, tmp_path: Path) -> None:
    """It would be written, and nobody would look at it again when it is no longer dropped."""
    worlds = histories(6)
    settings, lake = prepared(spark, tmp_path, "guards.perturbation=true", "features.drop=[canary]")
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.events)
    with pytest.raises(GuardError, match="guard perturbation: feature canary"):
        build_features(spark, settings, lake, features=(*some_features()[:3], CANARY))
    assert not any(lake.exists(name) for name in TABLES)
