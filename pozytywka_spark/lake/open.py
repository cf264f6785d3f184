"""The lake that the settings name."""

from __future__ import annotations

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.lake import files
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.delta_rs import DeltaRsLake


def open_lake(settings: Settings, spark: SparkSession) -> Lake:
    """The lake under `lake.root`, through `lake.engine`; creates nothing before the first write.

    Raises `LakeError` if nothing can be kept under that root.
    """
    lake = DeltaRsLake(settings.lake.root, spark)
    files.check_root(lake.root)
    return lake
