"""The lake that the settings name."""

from __future__ import annotations

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import require
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.delta_rs.engine import DeltaRsLake
from pozytywka_spark.lake.delta_rs.file_store import Store
from pozytywka_spark.lake.delta_rs.local_store import LocalStore
from pozytywka_spark.lake.delta_rs.s3_store import S3Store
from pozytywka_spark.lake.delta_spark import log
from pozytywka_spark.lake.delta_spark.engine import DeltaSparkLake
from pozytywka_spark.lake.layout import check_layout
from pozytywka_spark.lake.storage import local_files, s3
from pozytywka_spark.lake.storage.filesystem import storage_of


def open_lake(settings: Settings, spark: SparkSession) -> Lake:
    """The lake under `lake.root`, through `lake.engine`; creates nothing before the first write.

    Raises `LakeError` if nothing can be kept under that root, nothing serves the engine's format, or the
    lake has the layout of an older release.
    """
    lake = open_any_lake(settings, spark)
    check_layout(lake)
    return lake


def open_any_lake(settings: Settings, spark: SparkSession) -> Lake:
    """`open_lake` that takes a lake of an older release too: for what brings it up to date."""
    if settings.lake.engine == "delta-spark":
        require("delta-spark")
        root = settings.lake.root
        remote = DeltaSparkLake(
            root if "://" in root else local_files.local_root(root),
            spark,
            storage_of(settings),
            settings.lake.staging,
        )
        log.check_served(spark, remote.root)
        return remote
    store = open_store(settings)
    store.check()
    return DeltaRsLake(store, spark)


def open_store(settings: Settings) -> Store:
    """Where the delta-rs engine keeps `lake.root`. Raises `LakeError` for an address it can't serve."""
    root = settings.lake.root
    return S3Store(root, s3.endpoint(settings.s3)) if s3.is_s3(root) else LocalStore(root)
