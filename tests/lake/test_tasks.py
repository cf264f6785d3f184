"""Work in Spark's tasks and in the process itself: the same outcome, and errors that say what was held."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from pozytywka_spark.errors import DataError, LakeError
from pozytywka_spark.lake import Txn
from pozytywka_spark.lake.run_tasks import INLINE_BYTES
from pozytywka_spark.lake.tasks import Done, Tasks
from tests.lake.conftest import Bench
from tests.lake.task_work import DDL, JANUARY, TABLE, add, die, read_shards, refuse, write

SMALL, LARGE = 1, INLINE_BYTES + 1


def _run(tasks: Tasks, items: Sequence[Any], work: Any, weight: int) -> Done:
    return tasks.run(items, work, weight=lambda _: weight, named=lambda item: f"item {item}")


@pytest.mark.parametrize("weight", [SMALL, LARGE])
def test_what_tasks_wrote_is_committed_once(bench: Bench, weight: int) -> None:
    lake = bench.lake
    with lake.tasks() as tasks:
        done = _run(tasks, [1, 2, 3, 4], write, weight)
        assert sorted(told["item"] for told in done.told) == [1, 2, 3, 4]
        assert {told["day"] for told in done.told} == {date(2022, 1, day) for day in (2, 3, 4, 5)}
        assert {parcel.key for parcel in done.of("numbers")} == {("x", 1), ("x", 2), ("x", 3), ("x", 4)}
        total = _run(tasks, done.of("numbers"), add, weight)
        assert sum(told["sum"] for told in total.told) == 10
        assert lake.append(done.written, TABLE, txn=Txn("tests", 1)) == 0
        assert lake.append(done.written, TABLE, txn=Txn("tests", 1)) is None
    rows = [(1, "n1", JANUARY, 1), (2, "n2", JANUARY, 0), (3, "n3", JANUARY, 1), (4, "n4", JANUARY, 0)]
    bench.assert_rows(lake.read("worked"), rows, DDL)
    assert sorted(map(tuple, (row.values() for row in lake.rows("worked").to_pylist()))) == rows


def test_small_work_is_done_by_the_process_itself_where_files_are_local(rs: Bench) -> None:
    with rs.lake.tasks() as tasks:
        assert {told["pid"] for told in _run(tasks, [1, 2], write, SMALL).told} == {os.getpid()}
        large = _run(tasks, [1, 2, 3], write, LARGE).told
        assert os.getpid() not in {told["pid"] for told in large}
        assert {told["threads"] for told in large} == {1}, "POLARS_MAX_THREADS came too late"


def test_nothing_passes_the_driver_on_an_object_store(bench: Bench) -> None:
    if bench.lake.root.startswith("/"):
        pytest.skip("a local folder")
    with bench.lake.tasks() as tasks:
        assert os.getpid() not in {told["pid"] for told in _run(tasks, [1, 2], write, SMALL).told}


def test_no_items_run_nothing(rs: Bench) -> None:
    with rs.lake.tasks() as tasks:
        assert _run(tasks, [], refuse, LARGE) == Done((), (), ())


@pytest.mark.parametrize("weight", [SMALL, LARGE])
def test_an_error_of_ours_arrives_as_it_was(rs: Bench, weight: int) -> None:
    with rs.lake.tasks() as tasks, pytest.raises(DataError) as caught:
        _run(tasks, [1], refuse, weight)
    assert str(caught.value) == 'part-0.json: not "JSON" [łąka]\nat all'


def test_a_worker_that_dies_is_told_by_what_it_held(rs: Bench) -> None:
    with rs.lake.tasks() as tasks, pytest.raises(LakeError) as caught:
        _run(tasks, [1, 2, 3], die, LARGE)
    text = str(caught.value)
    assert "a task's worker died, likely for want of memory, while it held item 3; run fewer tasks" in text
    assert "\n" not in text


def test_workers_after_one_another_use_polars(rs: Bench) -> None:
    """A worker forked after Polars had run in its parent would hang for ever."""
    with rs.lake.tasks() as tasks:
        for _ in range(2):
            assert len(_run(tasks, [1, 2, 3, 4], write, LARGE).told) == 4


def test_what_was_put_down_is_gone_at_the_end(rs: Bench) -> None:
    staging = Path(rs.lake.root, "_staging")
    with rs.lake.tasks() as tasks:
        parcel = tasks.put("numbers", pl.DataFrame({"n": [1]}))
        assert _run(tasks, [parcel], add, LARGE).told == ({"sum": 1},)
        assert len(list(staging.iterdir())) == 1
    assert list(staging.iterdir()) == []


def test_shards_are_the_partitions_of_the_log(bench: Bench) -> None:
    rows = [(1, "a", JANUARY, 0), (2, "b", JANUARY, 1), (3, "c", JANUARY, 1), (4, "d", None, 0)]
    bench.lake.append(bench.frame(rows[:2], DDL), TABLE)
    bench.lake.append(bench.frame(rows[2:], DDL), TABLE)
    with bench.lake.tasks() as tasks:
        shards = bench.lake.shards("worked", tasks)
        assert [dict(shard.partition) for shard in shards] == [
            {"month": None, "bucket": 0},
            {"month": JANUARY, "bucket": 0},
            {"month": JANUARY, "bucket": 1},
        ]
        assert [shard.rows for shard in shards] == [1, 1, 2]
        assert all(shard.size > 0 for shard in shards)
        some = bench.lake.shards("worked", tasks, [{"bucket": 1}], ["k", "bucket"])
        assert [dict(shard.partition) for shard in some] == [{"month": JANUARY, "bucket": 1}]
        found = tasks.run(some, read_shards, weight=lambda shard: LARGE, named=lambda shard: "it").told
        assert sorted(map(tuple, found[0]["rows"])) == [(2, 1), (3, 1)]


def test_few_rows_of_the_driver_are_written_without_spark(bench: Bench) -> None:
    rows = pa.table(
        {
            "bucket": [1, 0, 1],
            "month": pa.array([JANUARY, None, JANUARY]),
            "k": [1, 2, 3],
            "name": ["a", None, "c"],
        }
    )
    assert bench.lake.append(rows, TABLE) == 0
    whole = [(1, "a", JANUARY, 1), (2, None, None, 0), (3, "c", JANUARY, 1)]
    bench.assert_rows(bench.lake.read("worked"), whole, DDL)
    with pytest.raises(LakeError, match="outside month=2022-01-01, bucket=0"):
        bench.lake.replace_partitions(rows, TABLE, [{"month": JANUARY, "bucket": 0}])
    bench.lake.replace_partitions(rows.slice(0, 1), TABLE, [{"month": JANUARY}])
    bench.assert_rows(bench.lake.read("worked"), whole[:2], DDL)
    bench.lake.overwrite(rows.slice(2), TABLE)
    bench.assert_rows(bench.lake.read("worked"), whole[2:], DDL)
    assert bench.lake.rows("worked", ["name", "bucket"]).to_pylist() == [{"name": "c", "bucket": 1}]
