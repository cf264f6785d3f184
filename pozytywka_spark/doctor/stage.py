"""The whole examination, in the order in which one would look."""

from __future__ import annotations

from collections.abc import Callable

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.doctor import machine, software, stores
from pozytywka_spark.doctor.findings import Finding, attempted, trouble
from pozytywka_spark.doctor.workers import submitted_jars, workers

Start = Callable[[], SparkSession]


def examine(settings: Settings, start: Start | None) -> list[Finding]:
    """All findings; `start` builds the session, None leaves out what would need one.

    Never raises for what it finds: a check that breaks is a finding of its own.
    """
    findings = [
        *attempted("Python", software.python),
        *attempted("packages", software.packages),
        *attempted("Java", software.java),
        *attempted("engine", lambda: stores.proven(settings)),
        *attempted("cores", lambda: machine.cores(settings)),
        *attempted("memory", lambda: machine.memory(settings)),
        *attempted("disk", lambda: machine.disk(settings)),
        *attempted("clock", lambda: machine.clock(settings)),
    ]
    spark: SparkSession | None = None
    if start is not None:
        begin = start
        try:
            spark = begin()
            findings += attempted("Spark", lambda: workers(_there(spark)))
        except Exception as error:  # whatever keeps Spark from starting is what people come here for
            lines = str(error).strip().splitlines() or [type(error).__name__]
            findings.append(trouble("Spark", lines[0], "see Java, memory and spark.master above"))
    return [
        *findings,
        *attempted("Delta jars", lambda: software.jars(settings, submitted_jars(spark))),
        *attempted("raw files", lambda: stores.raw_files(settings, spark)),
        *attempted("lake", lambda: stores.lake(settings, spark)),
        *attempted("layout", lambda: stores.layout(settings, spark)),
        *attempted("MLflow", lambda: stores.mlflow(settings)),
    ]


def _there(spark: SparkSession | None) -> SparkSession:
    assert spark is not None
    return spark
