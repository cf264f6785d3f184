"""Spark's Python workers: which Python answers, from where, and do its packages fit the driver's?"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version

import pandas as pd
from pyspark.sql import SparkSession

from pozytywka_spark.doctor.findings import Finding, ok, trouble, warning

# What tasks load; of another version, rows that they hand over may be read as something else
LOADED_BY_TASKS = ("pyspark", "pyarrow", "polars", "numpy", "pandas", "xgboost")
_TASKS = 8
# spark-submit's --jars and --packages become the last two on YARN
_GIVEN = ("spark.jars", "spark.jars.packages", "spark.yarn.dist.jars", "spark.yarn.secondary.jars")


def workers(spark: SparkSession) -> list[Finding]:
    """A task for each executor there is likely to be, asked for its Python and the versions of packages."""

    def look(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for _ in batches:
            facts = {"place": sys.prefix, "python": platform.python_version()} | _versions()
            yield pd.DataFrame({"name": list(facts), "found": list(facts.values())})

    tasks = spark.range(_TASKS, numPartitions=_TASKS)
    rows = tasks.mapInPandas(look, "name string, found string").collect()
    values: dict[str, set[str]] = {}
    for name, text in rows:
        values.setdefault(name, set()).add(text)
    return compared(spark.version, str(spark.conf.get("spark.master", "no master")), values)


def submitted_jars(spark: SparkSession | None) -> str:
    """Jars and packages that a session was given, by whatever flag; empty without a session."""
    if spark is None:
        return ""
    return ",".join(str(spark.conf.get(key, "")) for key in _GIVEN)


def compared(spark_version: str, master: str, values: Mapping[str, set[str]]) -> list[Finding]:
    """What tasks told, beside this process's own versions."""
    places = sorted(values.get("place", ()))
    if not places:
        return [trouble("Spark", "no answer from a Python worker", "see the executors' logs")]
    answers = "a Python worker answers"
    elsewhere = [place for place in places if place != sys.prefix]
    if elsewhere:
        answers += f" from {elsewhere[0]}" + (f" and {len(places) - 1} more" if len(places) > 1 else "")
    findings = [ok("Spark", f"{spark_version}, {master}, {answers}")]
    here = {"python": platform.python_version()} | _versions()
    others = [
        f"{name} {', '.join(sorted(values[name]))} (here {own})"
        for name, own in here.items()
        if values.get(name, {own}) != {own}
    ]
    if others:
        advice = "give both the same packages: run scripts/pack.sh again, and ship what it makes"
        findings.append(warning("executors' packages", "; ".join(others), advice))
    return findings


def _versions() -> dict[str, str]:
    versions = {}
    for name in LOADED_BY_TASKS:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "missing"
    return versions
