"""The raw files, the lake and MLflow: there, readable, writable?"""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.doctor.findings import Finding, ok, trouble, warning
from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest.intake.delivery import find_delivery
from pozytywka_spark.lake.layout import UPGRADE, buckets_of, is_older
from pozytywka_spark.lake.open import open_any_lake, open_store
from pozytywka_spark.lake.spark_files import SparkFiles
from pozytywka_spark.lake.storage.filesystem import storage_of
from pozytywka_spark.lake.storage.probe import probe_local, probe_remote, probe_staging
from pozytywka_spark.schemas import EVENTS
from pozytywka_spark.tracking.probe import probe


def raw_files(settings: Settings, spark: SparkSession | None) -> list[Finding]:
    """The delivery: which entities it brings."""
    path = settings.raw_path
    if settings.raw.path is None and not Path(path).is_dir():
        return [ok("raw files", "none yet: pipeline makes the embedded Pozytywka")]
    if spark is None:
        there = "://" in path or Path(path).is_dir()
        advice = "set raw.path to the folder of a delivery"
        return [ok("raw files", path) if there else trouble("raw files", f"no folder {path}", advice)]
    try:
        delivery = find_delivery(SparkFiles(spark), settings)
    except DataError as error:
        return [trouble("raw files", str(error), "set raw.path to the folder of a delivery")]
    if delivery.missing:
        problem = f"{path} lacks {', '.join(delivery.missing)}"
        return [warning("raw files", problem, "ingest takes what is there; training needs every entity once")]
    return [ok("raw files", f"{path}: every entity")]


def lake(settings: Settings, spark: SparkSession | None) -> list[Finding]:
    """The lake's root, written through what its engine writes with."""
    root = settings.lake.root
    if settings.lake.engine == "delta-rs":
        return [ok("lake", open_store(settings).probe(spark))]
    if "://" not in root:
        return [ok("lake", probe_local(root))]
    if spark is None:
        return [warning("lake", f"{root}: not tried", "run without --quick")]
    findings = [ok("lake", probe_remote(root, spark)), *writers(settings)]
    storage, staging = storage_of(settings), settings.lake.staging or root
    if not storage.opens(storage.plain(staging)):
        advice = "set lake.staging to a folder that all machines share, or lake.file_systems"
        return [*findings, trouble("staging", f"{staging}: tasks can't open it by themselves", advice)]
    return [*findings, ok("staging", probe_staging(storage, staging, spark))]


# What this release's own tests have run: engine and scheme of the lake's root, "" for folders
_PROVEN = {
    ("delta-rs", ""): "on folders: whole pipelines, any number of writers, in turn with delta-spark",
    ("delta-rs", "s3"): "on S3: whole pipelines, any number of writers",
    ("delta-spark", ""): "on folders: Delta's own classes, whole pipelines, in turn with delta-rs",
}


def proven(settings: Settings) -> list[Finding]:
    """Whether this release was tested with the lake's engine on such a store."""
    engine, root = settings.lake.engine, settings.lake.root
    scheme = root.partition("://")[0] if "://" in root and not root.startswith("file:") else ""
    proof = _PROVEN.get((engine, "s3" if engine == "delta-rs" and scheme == "s3a" else scheme))
    if proof is None:
        return [warning("engine", f"{engine} on {scheme}://: not tested by us", "try it on few data first")]
    return [ok("engine", f"{engine}, tested {proof}")]


def writers(settings: Settings) -> list[Finding]:
    """How many drivers may write at once: Delta's log store for S3 knows of no other driver's commits."""
    scheme = settings.lake.root.partition("://")[0]
    if scheme not in ("s3", "s3a"):
        return []
    store = settings.spark.conf.get(f"spark.delta.logStore.{scheme}.impl")
    if store is not None:
        return [ok("writers", f"as {store} allows")]
    return [
        warning(
            "writers",
            "one driver at a time: of two that commit at once, Delta on S3 may lose a commit and tell nobody",
            f"let one job write at a time, set spark.delta.logStore.{scheme}.impl to a store that "
            "coordinates them, or use lake.engine=delta-rs, which commits by conditional puts",
        )
    ]


def layout(settings: Settings, spark: SparkSession | None) -> list[Finding]:
    """Whether events are laid out as this release has them, in as many buckets as the settings say."""
    if spark is None:
        return []
    opened = open_any_lake(settings, spark)
    if is_older(opened):
        return [trouble("layout", "table events has the layout of an older release", UPGRADE)]
    if not opened.exists(EVENTS.name):
        return []
    buckets, asked = buckets_of(opened), settings.lake.user_buckets
    state = f"events in buckets of users: {buckets}"
    if asked in (None, buckets):
        return [ok("layout", state)]
    return [warning("layout", f"{state}, lake.user_buckets={asked}", f"run maintain --buckets {asked}")]


def mlflow(settings: Settings) -> list[Finding]:
    """The tracking store and the place of its artefacts."""
    return [ok("MLflow", probe(settings))]
