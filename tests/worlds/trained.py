"""One training that many tests look at: the first fit in a session costs about 14 seconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.features.declared.catalogue import feature_order
from pozytywka_spark.lake import Lake, open_lake

if TYPE_CHECKING:
    from pozytywka_spark.dataset.prepare import Prepared
    from pozytywka_spark.training.stage import TrainingReport


@dataclass(frozen=True)
class Trained:
    """A lake of known hazard, what was trained on it, and the rows with their true probability."""

    settings: Settings
    lake: Lake
    rows: pd.DataFrame
    order: tuple[str, ...]
    report: TrainingReport


def settings_in(home: Path, *more: str) -> Settings:
    """Settings with nine features, few trees and few replicates, everything under `home`."""
    from tests.worlds.known_hazard import DROPPED

    chosen = [
        f"home={home}",
        f"features.drop=[{DROPPED}]",
        "training.max_trees=120",
        "training.early_stopping_rounds=15",
        "evaluation.bootstrap=40",
    ]
    return load_settings("local", [*chosen, *more])


def prepared_of(settings: Settings, lake: Lake) -> Prepared:
    """What a training with these settings would know before its first fit."""
    from pozytywka_spark.dataset.prepare import pin
    from pozytywka_spark.dataset.table_job import training_table

    with training_table(pin(settings, lake), settings, lake) as laid:
        return laid.prepared


@pytest.fixture(scope="session")
def trained(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    # here, not above: every test run loads this file, and xgboost takes seconds to import
    from pozytywka_spark.training.stage import train
    from tests.worlds.known_hazard import hazard_rows, write_tables

    settings = settings_in(tmp_path_factory.mktemp("trained"))
    lake, order = open_lake(settings, spark), feature_order(settings)
    rows = hazard_rows(order, users=900)
    write_tables(settings, lake, rows)
    return Trained(settings, lake, rows, order, train(spark, settings, lake))
