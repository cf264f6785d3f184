"""Delta's JVM classes for a session of this machine: jars that are here already, else what Spark fetches."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError, require

# What Delta's documentation asks for; spark.conf may say otherwise, such as further extensions.
DELTA: Mapping[str, object] = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}

# Delta reads a table's log in 50 tasks, at each version anew: on one machine most of a small write's time.
DELTA_ON_ONE_MACHINE: Mapping[str, object] = {
    "spark.databricks.delta.snapshotPartitions": 2,
    # a vacuum lists folders in so many tasks, nearly all overhead here; Spark's default is 10,000
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": 8,
}

_FAILED = re.compile(r"unresolved dependency: (\S+?): |download failed: (\S+?)[,\]]")
_TAIL = 200_000  # bytes of the JVM's output that are looked at


def jars_folder() -> Path:
    """Where scripts/jars.sh puts jars, a folder a group."""
    return Path(sys.prefix) / "share" / "pozytywka-jars"


def brought() -> list[Path]:
    """What scripts/jars.sh put into the environment, if it is of the installed delta-spark's version."""
    folder = jars_folder() / "delta"
    return (
        sorted(folder.glob("*.jar"))
        if any(folder.glob(f"delta-spark_*-{version('delta-spark')}.jar"))
        else []
    )


def coordinates() -> str:
    """What the installed packages `delta-spark` and `pyspark` belong to, in Maven's words."""
    spark = ".".join(version("pyspark").split(".")[:2])
    return f"io.delta:delta-spark_{spark}_2.13:{version('delta-spark')}"


def with_delta_jars(builder: SparkSession.Builder, settings: Settings) -> SparkSession.Builder:
    """Where the settings ask for Delta's jars, those that are here; else Spark is to fetch them.

    Raises `UsageError` under spark-submit, whose JVM runs already.
    """
    if not asked_for(settings):
        return builder
    require("delta-spark")
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        raise UsageError(
            "lake.delta_jars=download comes too late under spark-submit, whose JVM runs already: "
            f"give it the jars with --packages {coordinates()}, and lake.delta_jars=provided"
        )
    jars = [str(jar) for jar in brought()]
    key, new = ("spark.jars", jars) if jars else ("spark.jars.packages", [coordinates()])
    given = [name.strip() for name in str(settings.spark.conf.get(key, "")).split(",") if name.strip()]
    return builder.config(key, ",".join([*new, *given]))


def asked_for(settings: Settings) -> bool:
    """Whether the session is to come with jars that its Spark doesn't have."""
    return settings.lake.engine == "delta-spark" and settings.lake.delta_jars == "download"


def not_fetched(settings: Settings, log: Path | None) -> str | None:
    """What to tell people if the JVM ended for want of the jars; None if that was not it."""
    if not asked_for(settings) or brought() or log is None or not log.is_file():
        return None
    match = _FAILED.search(log.read_bytes()[-_TAIL:].decode(errors="replace"))
    if match is None:
        return None
    missing = (match[1] or match[2]).replace("#", ":").replace(";", ":")
    return (
        f"lake.engine=delta-spark needs {coordinates()}, and Spark could not download {missing} ({log} says "
        "why); run it where Maven Central or a mirror is reached, bring the jars once with scripts/jars.sh "
        "delta, or use lake.engine=delta-rs, which needs none"
    )
