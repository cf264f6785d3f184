"""Writers that die: the table never shows it, and what they leave is swept when they surely are dead."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from pozytywka_spark.lake import file_writer
from pozytywka_spark.lake.delta_rs import log
from pozytywka_spark.lake.storage import local_files, staging
from pozytywka_spark.schemas import table

if TYPE_CHECKING:
    from lake.conftest import Bench

DDL = "k bigint, city string"
TABLE = table("crashed", DDL, keys=["k"], partition_by=["city"])
DAY = 24 * 3600.0

# Dies in the middle of its second file: what a task writes has its place in the table from the start.
DYING_WRITER = """
    import os, signal, sys
    import pyarrow as pa
    from pozytywka_spark.lake.delta_rs.local_store import LocalStore
    from pozytywka_spark.schemas import table

    crashed = table("crashed", "k bigint, city string", ["k"], ["city"])
    files = LocalStore(sys.argv[1]).files
    files.write(crashed, pa.table({"k": [0]}), {"city": "x"})
    half = files.begin(crashed, {"city": "y"})
    half.writer.add(pa.table({"k": range(200_000)}))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_writer_leaves_no_trace(rs: Bench) -> None:
    rs.lake.append(rs.rows([(1, "x")], DDL), TABLE)
    died = subprocess.run([sys.executable, "-c", textwrap.dedent(DYING_WRITER), rs.lake.root], check=False)
    assert died.returncode == -9
    assert rs.lake.version("crashed") == 0
    rs.assert_holds("crashed", [(1, "x")], DDL)

    root = Path(rs.lake.path("crashed"))
    assert len(list(root.glob("city=*/*.parquet"))) == 3  # ours, a whole one and half a one
    # too young to be taken for dead
    rs.lake.append(rs.rows([], DDL), TABLE)
    assert rs.lake.vacuum("crashed", retention_hours=0) == 0

    _age(root, DAY + 60)
    rs.lake.append(rs.rows([(4, "x")], DDL), TABLE)
    assert rs.lake.vacuum("crashed", retention_hours=0) == 2
    assert len(list(root.glob("city=*/*.parquet"))) == 2
    rs.assert_holds("crashed", [(1, "x"), (4, "x")], DDL)


def test_what_dead_writers_put_down_is_swept_by_the_next(rs: Bench) -> None:
    """Below the lake's root of tasks, below a table of a writer of an older release."""
    rs.lake.append(rs.rows([(1, "x")], DDL), TABLE)
    for root in (Path(rs.lake.root), Path(rs.lake.path("crashed"))):
        (root / "_staging" / "dead").mkdir(parents=True)
        (root / "_staging" / "dead" / "part-0.arrow").touch()
    with rs.lake.tasks():
        assert (Path(rs.lake.root) / "_staging" / "dead").exists(), "too young to be taken for dead"
    for root in (Path(rs.lake.root), Path(rs.lake.path("crashed"))):
        _age(root, DAY + 60)
    with rs.lake.tasks():
        assert not (Path(rs.lake.root) / "_staging" / "dead").exists()
    (Path(rs.lake.root) / "_staging" / "dead").mkdir()
    _age(Path(rs.lake.root), DAY + 60)
    rs.lake.vacuum("crashed", retention_hours=0)
    assert not (Path(rs.lake.root) / "_staging" / "dead").exists()
    rs.lake.append(rs.rows([(2, "x")], DDL), TABLE)
    assert not (Path(rs.lake.path("crashed")) / "_staging" / "dead").exists()


def _age(root: Path, seconds: float) -> None:
    """Make what is below `root`, but for the log, as old as that."""
    then = time.time() - seconds
    for place in [*root.glob("_staging/**/*"), *root.glob("_staging/*"), *root.glob("city=*/*")]:
        os.utime(place, (then, then))


def test_a_live_writer_is_never_swept(tmp_path: Path) -> None:
    """However old: its lock says that it lives."""
    folder = tmp_path / "_staging" / "writer"
    folder.mkdir(parents=True)
    with local_files.file_lock(str(folder / "writer.lock")) as mine:
        assert mine
        _age(tmp_path, 10 * DAY)
        assert staging.sweep(str(tmp_path)) == 0
    _age(tmp_path, 10 * DAY)
    assert staging.sweep(str(tmp_path)) == 1
    assert not folder.exists()


def test_a_young_folder_without_a_lock_is_left_alone(tmp_path: Path) -> None:
    """A file system that doesn't pass locks on: a writer on another machine may be alive."""
    inner = tmp_path / "_staging" / "writer" / "data"
    inner.mkdir(parents=True)
    _age(tmp_path, 10 * DAY)
    (inner / "part-0.parquet").touch()  # it just wrote something, deep below
    assert staging.sweep(str(tmp_path)) == 0
    assert inner.exists()


def test_a_failed_write_cleans_up(rs: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    rs.lake.append(rs.rows([(1, "x")], DDL), TABLE)

    def broken(*_: object) -> int:
        raise OSError("disk full")

    root = Path(rs.lake.path("crashed"))
    monkeypatch.setattr(file_writer.FileWriter, "close", broken)
    with pytest.raises(OSError, match="disk full"):
        rs.lake.append(pa.table({"k": [2], "city": ["x"]}), TABLE)
    assert len(list(root.glob("city=*/*.parquet"))) == 1


def test_a_failure_after_the_commit_is_a_success(rs: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint that can't be written must not make us delete files that a version names."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    rs.lake.append(rs.rows([(1, "x")], DDL), TABLE)
    real = log._extend

    def commit_then_fail(path: str, delta: DeltaTable, change: log.Change) -> int:
        real(path, delta, change)
        raise DeltaError("checkpoint failed")

    monkeypatch.setattr(log, "_extend", commit_then_fail)
    assert rs.lake.append(rs.rows([(2, "x")], DDL), TABLE) == 1
    rs.assert_holds("crashed", [(1, "x"), (2, "x")], DDL)


def test_odd_partitions_are_vacuumed_too(rs: Bench) -> None:
    """Their names are escaped twice on the way into the log: the file that goes is the file that is meant."""
    values = ["a b", "a/b", "100%", "%2F", "żółć", None]
    rs.lake.append(rs.rows(list(enumerate(values)), DDL), TABLE)
    rs.lake.overwrite(rs.rows([(9, "%2F")], DDL), TABLE)
    assert rs.lake.vacuum("crashed", retention_hours=0) == len(values)
    rs.assert_holds("crashed", [(9, "%2F")], DDL)
    assert len(list(Path(rs.lake.path("crashed")).glob("**/*.parquet"))) == 1
