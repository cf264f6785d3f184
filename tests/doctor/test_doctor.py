"""What the doctor finds of machines and settings that are right, and of ones that are not."""

import os
import platform
import sqlite3
import sys
import time
from collections import namedtuple
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.doctor import machine, software, stores, workers
from pozytywka_spark.doctor.findings import Finding, attempted, ok
from pozytywka_spark.doctor.stage import examine
from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.storage.probe import probe_local

Usage = namedtuple("Usage", "total used free")


def states(findings: list[Finding]) -> set[str]:
    return {finding.state for finding in findings}


def only(findings: list[Finding], state: str) -> Finding:
    assert [finding.state for finding in findings] == [state], findings
    assert (state == "ok") == (not findings[0].advice), "advice is for what is not well, and only for that"
    return findings[0]


def java(folder: Path, line: str) -> str:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{line}' >&2\n")
    program.chmod(0o755)
    return str(folder)


def given(tmp_path: Path, *overrides: str) -> Settings:
    return load_settings("local", [f"home={tmp_path}", *overrides])


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


@pytest.mark.parametrize(
    ("overrides", "state"),
    [
        (["spark.master=local[1]", "training.num_workers=1"], "ok"),
        (["spark.master=local[2]", "training.num_workers=3"], "trouble"),
        (["spark.master=local[999]"], "warning"),
        (["spark.master=spark://h:7077", "training.num_workers=3"], "ok"),
    ],
)
def test_cores(tmp_path: Path, overrides: list[str], state: str) -> None:
    only(machine.cores(given(tmp_path, *overrides)), state)


def test_memory_counts_the_heap_and_the_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(machine.memory(given(tmp_path, "spark.driver_memory=1g", "spark.master=local[1]")), "ok")
    only(machine.memory(given(tmp_path, "spark.driver_memory=9t")), "trouble")
    # a heap that fits by itself, but not beside the Python workers of its slots
    monkeypatch.setattr(machine, "memory_limit", lambda: 3 * machine.GIB)
    only(machine.memory(given(tmp_path, "spark.driver_memory=2g", "spark.master=local[1]")), "ok")
    only(machine.memory(given(tmp_path, "spark.driver_memory=2g", "spark.master=local[4]")), "trouble")


@pytest.mark.parametrize(("stated", "limited"), [("1073741824", True), ("max", False), (None, False)])
def test_a_containers_limit_counts(tmp_path: Path, stated: str | None, limited: bool) -> None:
    group = tmp_path / "memory.max"
    if stated:
        group.write_text(f"{stated}\n")
    assert (machine.memory_limit(group) == 1 << 30) == limited


@pytest.mark.parametrize(("free", "state"), [(50, "ok"), (3, "warning"), (0.5, "trouble")])
def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: float, state: str) -> None:
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: Usage(0, 0, int(free * machine.GIB)))
    found = machine.disk(given(tmp_path, "spark.conf.spark.local.dir=/scratch"))
    assert states(found) == {state}
    assert [finding.check for finding in found] == ["disk of lake.root", "disk of Spark's scratch"]
    assert "/scratch" in found[1].found


def test_a_clock_behind_the_lake_is_trouble(tmp_path: Path) -> None:
    settings = given(tmp_path)
    log = Path(settings.lake.root, "events", "_delta_log")
    log.mkdir(parents=True)
    (log / "00000000000000000000.json").touch()
    now = time.time()
    only(machine.clock(settings, now), "ok")
    assert "newest commit" in only(machine.clock(settings, now - 3600), "trouble").found
    only(machine.clock(settings, 0.0), "trouble")


def test_a_lake_is_tried_and_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "lake"
    assert probe_local(str(root)) == f"{root}: not there yet, can be made"
    assert not root.exists()
    root.mkdir()
    assert probe_local(str(root)) == f"{root}: read and written"
    assert list(root.iterdir()) == []

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(LakeError, match="can't be written: No space left on device; choose"):
        probe_local(str(root))
    assert list(root.iterdir()) == []


@pytest.mark.parametrize(
    "broken",
    [
        lambda home: (home / "mlflow.db").write_text("not a database"),
        lambda home: (home / "mlflow.db").mkdir(),
    ],
)
def test_a_broken_mlflow_store_is_one_line_of_trouble(
    tmp_path: Path, broken: Callable[[Path], object]
) -> None:
    broken(tmp_path)
    finding = only(attempted("MLflow", lambda: stores.mlflow(given(tmp_path))), "trouble")
    assert "mlflow.tracking_uri" in finding.advice
    assert "\n" not in finding.found


def test_a_read_only_mlflow_store_is_trouble(tmp_path: Path) -> None:
    settings = given(tmp_path)
    assert "not there yet" in only(stores.mlflow(settings), "ok").found
    assert not (tmp_path / "mlflow.db").exists(), "looking must not make a store"
    from pozytywka_spark.tracking.store import connect

    connect(settings)
    assert "read and written" in only(stores.mlflow(settings), "ok").found
    with sqlite3.connect(tmp_path / "mlflow.db") as store:
        store.execute(
            "CREATE TRIGGER frozen BEFORE INSERT ON experiment_tags BEGIN SELECT RAISE(ABORT, 'frozen'); END"
        )
        store.execute("DELETE FROM experiment_tags")
    assert "frozen" in only(attempted("MLflow", lambda: stores.mlflow(settings)), "trouble").found


def test_a_delivery_is_looked_at(tmp_path: Path) -> None:
    only(stores.raw_files(given(tmp_path), None), "ok")
    only(stores.raw_files(given(tmp_path, f"raw.path={tmp_path}"), None), "ok")
    only(stores.raw_files(given(tmp_path, f"raw.path={tmp_path}/none"), None), "trouble")


@pytest.mark.system  # the doctor starts what it asks
def test_one_check_that_breaks_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[Finding]:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(software, "java", broken)

    def dead() -> None:
        raise RuntimeError("no master answers\nsecond line")

    found = {finding.check: finding for finding in examine(given(tmp_path), dead)}  # type: ignore[arg-type]
    assert found["Java"].found == "ZeroDivisionError: by zero"
    assert found["Spark"].found == "no master answers"
    assert found["Java"].state == found["Spark"].state == "trouble"
    assert found["lake"].state == found["MLflow"].state == "ok"
    assert attempted("x", lambda: [ok("x", "y")]) == [Finding("x", "ok", "y")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be sure of what /proc refuses")
def test_a_place_that_takes_no_folder_is_trouble(tmp_path: Path) -> None:
    settings = given(tmp_path, "lake.root=/proc/pozytywka")
    assert only(attempted("lake", lambda: stores.lake(settings, None)), "trouble").advice.startswith("choose")


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
