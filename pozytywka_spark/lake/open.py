"""The lake that the settings name."""

from __future__ import annotations

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.lake import delta_spark_log, files
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.delta_rs import DeltaRsLake
from pozytywka_spark.lake.delta_spark import DeltaSparkLake


def open_lake(settings: Settings, spark: SparkSession) -> Lake:
    """The lake under `lake.root`, through `lake.engine`; creates nothing before the first write.

    Raises `LakeError` if nothing can be kept under that root, or nothing serves the engine's format.
    """
    if settings.lake.engine == "delta-spark":
        root = settings.lake.root
        remote = DeltaSparkLake(root if "://" in root else files.local_root(root), spark)
        delta_spark_log.check_served(spark, remote.root)
        return remote
    lake = DeltaRsLake(settings.lake.root, spark)
    files.check_root(lake.root)
    return lake
