"""What the doctor says of Java, Python, packages, jars and the lake's engine."""

import platform
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from pozytywka_spark.doctor import software, stores, workers
from pozytywka_spark.doctor.findings import Finding, attempted
from tests.doctor.made_findings import given, java, only


@pytest.mark.system  # the doctor starts what it asks
@pytest.mark.parametrize(
    ("line", "state"),
    [
        ('openjdk version "17.0.15" 2025-04-15', "ok"),
        ('openjdk version "21.0.8" 2025-07-15 LTS', "ok"),
        ('openjdk version "25" 2025-09-16', "warning"),
        ('openjdk version "11.0.2" 2019-01-15', "trouble"),
        ('java version "1.8.0_202"', "trouble"),
        ("command not understood", "trouble"),
    ],
)
def test_java_by_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, state: str) -> None:
    monkeypatch.setenv("JAVA_HOME", java(tmp_path, line))
    assert only(software.java(), state).found == line


@pytest.mark.system  # the doctor starts what it asks
def test_a_java_home_without_java_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert str(tmp_path / "bin" / "java") in only(software.java(), "trouble").found


@pytest.mark.system  # the doctor starts what it asks
def test_workers_of_another_python_are_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    only(software.python(), "ok")
    other = tmp_path / "python"
    other.write_text("#!/bin/sh\necho 3.8.1\n")
    other.chmod(0o755)
    monkeypatch.setenv("PYSPARK_PYTHON", str(other))
    assert "workers 3.8.1" in only(software.python(), "trouble").found
    monkeypatch.setenv("PYSPARK_PYTHON", str(tmp_path / "none"))
    only(software.python(), "trouble")


def test_a_python_in_an_archive_for_executors_is_not_looked_for_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_PYTHON", "./environment/bin/python")
    assert "from the archive" in only(software.python(), "ok").found


def test_the_installed_packages_belong_together(monkeypatch: pytest.MonkeyPatch) -> None:
    only(software.packages(), "ok")
    installed = software.version
    monkeypatch.setattr(software, "version", lambda name: "3.5.1" if name == "pyspark" else installed(name))
    clashes = [finding.found for finding in software.packages()]
    assert "pozytywka-spark needs pyspark==4.2.0, 3.5.1 is installed" in clashes
    assert any(clash.startswith("delta-spark needs pyspark") for clash in clashes)


DELTA = software.version("delta-spark")


@pytest.mark.parametrize(
    ("jar", "package", "state"),
    [
        (None, None, "trouble"),
        (f"delta-spark_2.13-{DELTA}.jar", None, "ok"),
        ("delta-spark_2.13-3.2.0.jar", None, "warning"),
        (None, f"io.delta:delta-spark_4.2_2.13:{DELTA}", "ok"),
        (f"delta-storage-{DELTA}.jar", None, "trouble"),
    ],
)
def test_delta_jars(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jar: str | None, package: str | None, state: str
) -> None:
    (tmp_path / "jars").mkdir()
    if jar:
        (tmp_path / "jars" / jar).touch()
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    packages = [f"spark.conf.spark.jars.packages={package}"] if package else []
    only(software.jars(given(tmp_path, "lake.engine=delta-spark", *packages)), state)
    only(software.jars(given(tmp_path)), "ok")


@pytest.mark.parametrize(
    ("overrides", "state", "told"),
    [
        ([], "ok", "delta-rs, tested on folders"),
        (["lake.root=s3a://b/lake"], "ok", "delta-rs, tested on S3"),
        (["lake.engine=delta-spark"], "ok", "delta-spark, tested on folders: Delta's own classes"),
        (["lake.engine=delta-spark", "lake.root=gs://b/lake"], "warning", "gs://: not tested by us"),
    ],
)
def test_which_engine_is_proven_where(tmp_path: Path, overrides: list[str], state: str, told: str) -> None:
    assert told in only(stores.proven(given(tmp_path, *overrides)), state).found


def test_executors_whose_packages_are_the_driver_s_are_well() -> None:
    found = {"place": {sys.prefix}, "python": {platform.python_version()}}
    assert (
        only(workers.compared("4.2.0", "yarn", found), "ok").found == "4.2.0, yarn, a Python worker answers"
    )


def test_executors_that_answer_from_an_archive_are_named() -> None:
    found = {"place": {"/node/b/environment", "/node/a/environment"}}
    told = only(workers.compared("4.2.0", "yarn", found), "ok").found
    assert told.endswith("a Python worker answers from /node/a/environment and 1 more")


def test_an_archive_of_older_packages_is_a_warning_that_names_them() -> None:
    found = {"place": {"/node/environment"}, "polars": {"1.9.0"}, "pyarrow": {version("pyarrow")}}
    _, told = workers.compared("4.2.0", "yarn", found)
    assert (told.state, told.found) == ("warning", f"polars 1.9.0 (here {version('polars')})")
    assert "scripts/pack.sh" in told.advice


def test_no_answer_from_executors_is_trouble() -> None:
    assert only(workers.compared("4.2.0", "yarn", {}), "trouble").found == "no answer from a Python worker"


def test_jars_that_spark_submit_was_given_are_seen(tmp_path: Path) -> None:
    settings = given(tmp_path, "lake.engine=delta-spark")
    given_there = (
        f"file:/jars/delta-storage-4.4.0.jar,file:/jars/delta-spark_4.2_2.13-{version('delta-spark')}.jar"
    )
    assert only(software.jars(settings, given_there), "ok").found == f"delta-spark {version('delta-spark')}"


def test_an_error_in_a_python_worker_is_told_by_its_own_last_line() -> None:
    def without_pandas() -> list[Finding]:
        raise RuntimeError(
            "An exception was thrown from the Python worker:\nTraceback (most recent call last):\n"
            '  File "worker.py", line 1, in main\n    import pandas\n'
            "ModuleNotFoundError: No module named 'pandas'\n"
        )

    told = only(attempted("Spark", without_pandas), "trouble").found
    assert told == "RuntimeError: ModuleNotFoundError: No module named 'pandas'"
