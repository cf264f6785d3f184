"""Writers that die: the table never shows it, and what they leave is swept when they surely are dead."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pozytywka_spark.lake import files, log, staging
from pozytywka_spark.schemas import table

if TYPE_CHECKING:
    from lake.conftest import Bench

DDL = "k bigint, city string"
TABLE = table("crashed", DDL, keys=["k"], partition_by=["city"])
DAY = 24 * 3600.0

# Dies in the middle of moving its two files into place: the worst moment there is. Spark's part,
# which is over by then, is done by pyarrow, so that no second JVM has to start.
DYING_WRITER = """
    import os, pathlib, signal, sys
    import pyarrow as pa, pyarrow.parquet as pq
    from pozytywka_spark.lake import files, log, staging, types
    from pozytywka_spark.lake.local import LocalStore
    from pozytywka_spark.lake.store import write_and_commit
    from pozytywka_spark.schemas import table

    root = sys.argv[1]
    crashed = table("crashed", "k bigint, city string", ["k"], ["city"])
    move = files.move

    def write(df, table, folder):
        for number, city in enumerate("xy"):
            pathlib.Path(folder, f"city={city}").mkdir(parents=True)
            pq.write_table(pa.table({"k": [number]}), f"{folder}/city={city}/part-{number}.parquet")

    def move_one_and_die(source, target):
        move(source, target)
        os.kill(os.getpid(), signal.SIGKILL)

    staging._write, files.move, staging._THREADS = write, move_one_and_die, 1
    change = log.Change("crashed", "APPEND", (), types.to_delta(crashed), crashed.partition_by)
    write_and_commit(None, crashed, LocalStore(root), f"{root}/crashed", change)
"""


def test_a_killed_writer_leaves_no_trace(rs: Bench) -> None:
    rs.lake.append(rs.frame([(1, "x")], DDL), TABLE)
    died = subprocess.run([sys.executable, "-c", textwrap.dedent(DYING_WRITER), rs.lake.root], check=False)
    assert died.returncode == -9
    assert rs.lake.version("crashed") == 0
    rs.assert_rows(rs.lake.read("crashed"), [(1, "x")], DDL)

    root = Path(rs.lake.path("crashed"))
    assert len(list(root.glob("_staging/*"))) == 1
    assert len(list(root.glob("city=*/*.parquet"))) == 2  # ours, and the one that it had moved
    # too young to be taken for dead
    rs.lake.append(rs.frame([], DDL), TABLE)
    assert rs.lake.vacuum("crashed", retention_hours=0) == 0
    assert len(list(root.glob("_staging/*"))) == 1

    _age(root, DAY + 60)
    rs.lake.append(rs.frame([(4, "x")], DDL), TABLE)
    assert list(root.glob("_staging/*")) == []
    assert rs.lake.vacuum("crashed", retention_hours=0) == 1
    assert len(list(root.glob("city=*/*.parquet"))) == 2
    rs.assert_rows(rs.lake.read("crashed"), [(1, "x"), (4, "x")], DDL)


def _age(root: Path, seconds: float) -> None:
    """Make what is below `root`, but for the log, as old as that."""
    then = time.time() - seconds
    for place in [*root.glob("_staging/**/*"), *root.glob("_staging/*"), *root.glob("city=*/*")]:
        os.utime(place, (then, then))


def test_a_live_writer_is_never_swept(tmp_path: Path) -> None:
    """However old: its lock says that it lives."""
    folder = tmp_path / "_staging" / "writer"
    folder.mkdir(parents=True)
    with files.held(str(folder / "writer.lock")) as mine:
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
    rs.lake.append(rs.frame([(1, "x")], DDL), TABLE)

    def broken(*_: object) -> int:
        raise OSError("disk full")

    root = Path(rs.lake.path("crashed"))
    monkeypatch.setattr(files, "size", broken)
    with pytest.raises(OSError, match="disk full"):
        rs.lake.append(rs.frame([(2, "x")], DDL), TABLE)
    assert list(root.glob("_staging/*")) == []
    assert len(list(root.glob("city=*/*.parquet"))) == 1


def test_a_failure_after_the_commit_is_a_success(rs: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint that can't be written must not make us delete files that a version names."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    rs.lake.append(rs.frame([(1, "x")], DDL), TABLE)
    real = log._extend

    def commit_then_fail(path: str, delta: DeltaTable, change: log.Change) -> int:
        real(path, delta, change)
        raise DeltaError("checkpoint failed")

    monkeypatch.setattr(log, "_extend", commit_then_fail)
    assert rs.lake.append(rs.frame([(2, "x")], DDL), TABLE) == 1
    rs.assert_rows(rs.lake.read("crashed"), [(1, "x"), (2, "x")], DDL)


def test_odd_partitions_are_vacuumed_too(rs: Bench) -> None:
    """Their names are escaped twice on the way into the log: the file that goes is the file that is meant."""
    values = ["a b", "a/b", "100%", "%2F", "żółć", None]
    rs.lake.append(rs.frame(list(enumerate(values)), DDL), TABLE)
    rs.lake.overwrite(rs.frame([(9, "%2F")], DDL), TABLE)
    assert rs.lake.vacuum("crashed", retention_hours=0) == len(values)
    rs.assert_rows(rs.lake.read("crashed"), [(9, "%2F")], DDL)
    assert len(list(Path(rs.lake.path("crashed")).glob("**/*.parquet"))) == 1
