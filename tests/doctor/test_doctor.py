"""What the doctor finds of machines and settings that are right, and of ones that are not."""

import os
import sqlite3
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest

from pozytywka_spark.doctor import machine, software, stores
from pozytywka_spark.doctor.findings import Finding, attempted, ok
from pozytywka_spark.doctor.stage import examine
from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.storage.probe import probe_local
from tests.doctor.made_findings import given, only

Usage = namedtuple("Usage", "total used free")


def states(findings: list[Finding]) -> set[str]:
    return {finding.state for finding in findings}


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


@pytest.mark.thorough
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
