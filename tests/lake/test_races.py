"""Writers at the same time: nothing is lost, nothing is doubled, the loser is told."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from deltalake import DeltaTable

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake import Txn
from pozytywka_spark.lake.delta_rs import log
from pozytywka_spark.schemas import table
from tests.forked import forked
from tests.lake.committing_child import COMMITS, commit_all

if TYPE_CHECKING:
    from lake.conftest import Bench

DDL = "k bigint, city string"
TABLE = table("raced", DDL, keys=["k"], partition_by=["city"])


def _together(*work: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(work)) as threads:
        return [future.result() for future in [threads.submit(one) for one in work]]


def test_two_appends_create_the_table_once(rs: Bench) -> None:
    one, two = rs.rows([(1, "x")], DDL), rs.rows([(2, "y")], DDL)
    versions = _together(lambda: rs.lake.append(one, TABLE), lambda: rs.lake.append(two, TABLE))
    assert sorted(versions) == [0, 1]
    rs.assert_holds("raced", [(1, "x"), (2, "y")], DDL)


def test_one_transaction_by_two_writers_is_done_once(rs: Bench) -> None:
    rs.lake.append(rs.rows([], DDL), TABLE)
    frame = rs.rows([(1, "x")], DDL)
    versions = _together(*[lambda: rs.lake.append(frame, TABLE, txn=Txn("app", 1))] * 2)
    assert sorted(versions, key=str) == [1, None]
    rs.assert_holds("raced", [(1, "x")], DDL)
    assert _data_files(rs) == len(DeltaTable(rs.lake.path("raced")).file_uris())  # the loser cleaned up


def test_partitions_replaced_at_once(rs: Bench) -> None:
    rs.lake.append(rs.rows([(0, "x"), (0, "y")], DDL), TABLE)
    x, y = rs.rows([(1, "x")], DDL), rs.rows([(2, "y")], DDL)
    _together(
        lambda: rs.lake.replace_partitions(x, TABLE, [{"city": "x"}]),
        lambda: rs.lake.replace_partitions(y, TABLE, [{"city": "y"}]),
    )
    rs.assert_holds("raced", [(1, "x"), (2, "y")], DDL)


def test_upserts_of_one_new_key_do_not_double_it(rs: Bench) -> None:
    rs.lake.append(rs.rows([(0, "x")], DDL), TABLE)
    frames = [rs.frame([(7, city), (number, city)], DDL) for number, city in ((1, "x"), (2, "y"))]
    _together(*(lambda frame=frame: rs.lake.upsert(frame, TABLE) for frame in frames))
    assert sorted(rs.lake.rows("raced", ["k"])["k"].to_pylist()) == [0, 1, 2, 7]


def test_a_compaction_that_loses_its_files_gives_up(rs: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2):
        rs.lake.append(rs.rows([(number, "x")], DDL), TABLE)
    real = log.commit

    def overtaken(path: str, change: log.Change) -> int | None:
        if change.operation == "COMPACT":
            rs.lake.overwrite(rs.rows([(3, "x")], DDL), TABLE)
        return real(path, change)

    monkeypatch.setattr(log, "commit", overtaken)
    with pytest.raises(
        LakeError, match="table raced: another writer changed it while it was being compacted"
    ):
        rs.lake.compact("raced")
    rs.assert_holds("raced", [(3, "x")], DDL)
    assert _data_files(rs) == 3  # the compaction's own file is gone


def test_a_changed_table_is_not_written_to(rs: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The schema is checked on the snapshot that is committed to, not only before the rows are staged."""
    rs.lake.append(rs.rows([(1, "x")], DDL), TABLE)
    other = table("raced", "k bigint, w double", keys=["k"])
    real = log.commit

    def overtaken(path: str, change: log.Change) -> int | None:
        if change.operation == "APPEND":
            rs.lake.overwrite(rs.rows([(2, 0.5)], "k bigint, w double"), other)
        return real(path, change)

    monkeypatch.setattr(log, "commit", overtaken)
    with pytest.raises(LakeError, match="table raced: the lake's differs from what is to be written"):
        rs.lake.append(rs.rows([(3, "x")], DDL), TABLE)
    rs.assert_holds("raced", [(2, 0.5)], "k bigint, w double")


def _data_files(rs: Bench) -> int:
    return len(list(Path(rs.lake.path("raced")).glob("**/*.parquet")))


def test_processes_that_commit_at_once_all_get_through(tmp_path: Path) -> None:
    path, names = str(tmp_path / "raced"), ["a", "b", "c"]
    with ExitStack() as stack:
        children = [stack.enter_context(forked(commit_all, path, name)) for name in names]
        for child in children:
            child.tell("go")
        assert [child.hear() for child in children] == ["done"] * len(names)
    delta = DeltaTable(path)
    assert delta.version() == len(names) * COMMITS - 1
    assert len(delta.file_uris()) == len(names) * COMMITS
