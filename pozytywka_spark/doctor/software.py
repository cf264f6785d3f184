"""Python, packages, Java and jars: are they there, and do they belong together?"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement

from pozytywka_spark.config import Settings
from pozytywka_spark.doctor.findings import Finding, ok, trouble, warning
from pozytywka_spark.spark.delta_jars import brought, coordinates

# Spark 4.2 runs on these; a later Java may work and is not tested by Spark itself.
JAVA_TESTED = (17, 21)
# Whose own demands on others are checked too: these are the ones that fail late and strangely.
CHECKED_TOGETHER = ("pozytywka-spark", "delta-spark", "xgboost", "mlflow")
# Loaded by xgboost on GPUs only, of which nothing here makes use: set-up leaves it out
LEFT_OUT = "nvidia-nccl-cu12"
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')


def python() -> list[Finding]:
    """The interpreter, and that Spark's workers are given the same one."""
    here = platform.python_version()
    worker = os.environ.get("PYSPARK_PYTHON")
    if not worker:
        return [ok("Python", here)]
    if worker.startswith("./"):  # in an archive that only executors unpack; the Spark check asks one
        return [ok("Python", f"driver {here}, workers from the archive they are sent ({worker})")]
    try:
        answer = subprocess.run(
            [worker, "-c", "import platform; print(platform.python_version())"],
            capture_output=True, text=True, timeout=60, check=True,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        return [trouble("Python", f"PYSPARK_PYTHON={worker}: {error}", "unset PYSPARK_PYTHON or correct it")]
    if answer.split(".")[:2] != here.split(".")[:2]:
        advice = "Spark needs one minor version for both: set PYSPARK_PYTHON to the driver's own"
        return [trouble("Python", f"driver {here}, workers {answer}", advice)]
    return [ok("Python", f"{here}, workers the same")]


def packages(names: tuple[str, ...] = CHECKED_TOGETHER) -> list[Finding]:
    """Installed versions against what the project, and those it is built on, ask for."""
    unmet = [clash for name in names for clash in _unmet(name)]
    if unmet:
        return [
            trouble("packages", clash, "run scripts/submit.sh again after deleting .venv") for clash in unmet
        ]
    shown = ", ".join(f"{name} {version(name)}" for name in ("pyspark", "delta-spark", "xgboost", "mlflow"))
    return [ok("packages", shown)]


def _unmet(name: str) -> list[str]:
    """Demands of an installed package that the other installed ones don't meet."""
    try:
        demands = [Requirement(text) for text in requires(name) or ()]
    except PackageNotFoundError:
        return [f"{name} is not installed"]
    clashes = []
    for demand in demands:
        if demand.name == LEFT_OUT:
            continue
        if demand.marker is not None and not demand.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = version(demand.name)
        except PackageNotFoundError:
            clashes.append(f"{name} needs {demand}, which is not installed")
            continue
        if not demand.specifier.contains(installed, prereleases=True):
            clashes.append(f"{name} needs {demand}, {installed} is installed")
    return clashes


def java() -> list[Finding]:
    """The Java that Spark will start."""
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if program is None:
        return [trouble("Java", "none on this machine", "install Java 17 or 21, or set JAVA_HOME")]
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return [trouble("Java", f"{program}: {error}", "correct JAVA_HOME, or install Java 17 or 21")]
    line = (said.stderr or said.stdout).strip().splitlines()[0]
    match = _VERSION.search(line)
    major = int(match.group(1)) if match else 0
    if major < JAVA_TESTED[0]:
        return [trouble("Java", line, f"Spark {version('pyspark')} needs Java 17 or newer: set JAVA_HOME")]
    if major not in JAVA_TESTED:
        return [warning("Java", line, "Spark is tested on Java 17 and 21: prefer one of them")]
    return [ok("Java", line)]


def jars(settings: Settings, submitted: str = "") -> list[Finding]:
    """Delta's jars, where the engine needs them; their version must be that of the Python package.

    `submitted`: jars and packages that a running session was given, which spark-submit tells nobody else.
    """
    if settings.lake.engine != "delta-spark":
        return [ok("Delta jars", "none needed: lake.engine=delta-rs")]
    if settings.lake.delta_jars == "download":
        there = brought()
        return [ok("Delta jars", f"{there[0].parent}" if there else f"Spark fetches {coordinates()}")]
    required = version("delta-spark")
    named = (
        f"{settings.spark.conf.get('spark.jars.packages', '')},{settings.spark.conf.get('spark.jars', '')}"
    )
    named += f",{os.environ.get('PYSPARK_SUBMIT_ARGS', '')},{submitted}"
    versions = re.findall(r"delta-spark[^,\s]*?[:\-](\d+\.\d+\.\d+)", f"{named},{','.join(_jar_names())}")
    if not versions:
        advice = f"pass -- --packages {coordinates()}, or set lake.delta_jars=download"
        return [trouble("Delta jars", "none in Spark's jars, spark.jars or spark.jars.packages", advice)]
    if required not in versions:
        return [
            warning(
                "Delta jars",
                f"{', '.join(sorted(set(versions)))}; the Python package is {required}",
                "use one version",
            )
        ]
    return [ok("Delta jars", f"delta-spark {required}")]


def _jar_names() -> list[str]:
    home = os.environ.get("SPARK_HOME")
    if home is None:
        found = find_spec("pyspark")
        home = str(Path(found.origin).parent) if found and found.origin else ""
    return [path.name for path in Path(home, "jars").glob("delta-*.jar")]
