"""Work in Spark's tasks and in the process itself: the same outcome, and errors that say what was held."""

from __future__ import annotations

import os
import threading
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.errors import DataError, LakeError
from pozytywka_spark.lake import Txn
from pozytywka_spark.lake.delta_rs.engine import DeltaRsLake
from pozytywka_spark.lake.open_tasks import workers_awake
from pozytywka_spark.lake.tasks import Done
from pozytywka_spark.schemas.ddl import parse_ddl
from tests.lake.conftest import Bench
from tests.lake.made_work import LARGE, SMALL, run_work
from tests.lake.task_work import (
    DDL,
    JANUARY,
    TABLE,
    add,
    both_ways,
    die,
    read_shards,
    refuse,
    search_for_garbage,
    write,
)


def test_rows_that_work_makes_are_a_frame_of_a_partition_an_item(bench: Bench) -> None:
    with bench.lake.tasks() as tasks:
        parcels = [tasks.put("numbers", pl.DataFrame({"n": [number, 10 * number]})) for number in (1, 2)]
        frame = tasks.frame(parcels, both_ways, parse_ddl("twice bigint, n bigint"))
        assert frame.rdd.getNumPartitions() == 2
        assert sorted(map(tuple, frame.collect())) == [(2, 1), (4, 2), (20, 10), (40, 20)]


@pytest.mark.parametrize("weight", [SMALL, LARGE])
def test_what_tasks_wrote_is_committed_once(bench: Bench, weight: int) -> None:
    lake = bench.lake
    with lake.tasks() as tasks:
        done = run_work(tasks, [1, 2, 3, 4], write, weight)
        assert sorted(told["item"] for told in done.results) == [1, 2, 3, 4]
        assert {told["day"] for told in done.results} == {date(2022, 1, day) for day in (2, 3, 4, 5)}
        assert {parcel.key for parcel in done.of("numbers")} == {("x", 1), ("x", 2), ("x", 3), ("x", 4)}
        total = run_work(tasks, done.of("numbers"), add, weight)
        assert sum(told["sum"] for told in total.results) == 10
        assert lake.append(done.written, TABLE, txn=Txn("tests", 1)) == 0
        assert lake.append(done.written, TABLE, txn=Txn("tests", 1)) is None
    rows = [(1, "n1", JANUARY, 1), (2, "n2", JANUARY, 0), (3, "n3", JANUARY, 1), (4, "n4", JANUARY, 0)]
    bench.assert_rows(lake.read("worked"), rows, DDL)
    assert sorted(map(tuple, (row.values() for row in lake.rows("worked").to_pylist()))) == rows


def test_small_work_is_done_by_the_process_itself_where_files_are_local(rs: Bench) -> None:
    with rs.lake.tasks() as tasks:
        assert {told["pid"] for told in run_work(tasks, [1, 2], write, SMALL).results} == {os.getpid()}
        large = run_work(tasks, [1, 2, 3], write, LARGE).results
        assert os.getpid() not in {told["pid"] for told in large}
        assert {told["threads"] for told in large} == {1}, "POLARS_MAX_THREADS came too late"


def test_nothing_passes_the_driver_on_an_object_store(bench: Bench) -> None:
    if bench.lake.root.startswith("/"):
        pytest.skip("a local folder")
    with bench.lake.tasks() as tasks:
        assert os.getpid() not in {told["pid"] for told in run_work(tasks, [1, 2], write, SMALL).results}


def test_no_items_run_nothing(rs: Bench) -> None:
    with rs.lake.tasks() as tasks:
        assert run_work(tasks, [], refuse, LARGE) == Done((), (), ())


@pytest.mark.parametrize("weight", [SMALL, LARGE])
def test_an_error_of_ours_arrives_as_it_was(bench: Bench, weight: int) -> None:
    with bench.lake.tasks() as tasks, pytest.raises(DataError) as caught:
        run_work(tasks, [1], refuse, weight)
    assert str(caught.value) == 'part-0.json: not "JSON" [łąka]\nat all'


def test_a_worker_that_dies_is_told_by_what_it_held(rs: Bench) -> None:
    with rs.lake.tasks() as tasks, pytest.raises(LakeError) as caught:
        run_work(tasks, [1, 2, 3], die, LARGE)
    text = str(caught.value)
    assert "a task's worker died, likely for want of memory, while it held item 3; run fewer tasks" in text
    assert "\n" not in text


def test_workers_after_one_another_use_polars(rs: Bench) -> None:
    """A worker forked after Polars had run in its parent would hang for ever."""
    with rs.lake.tasks() as tasks:
        for _ in range(2):
            assert len(run_work(tasks, [1, 2, 3, 4], write, LARGE).results) == 4


def test_modules_are_not_searched_for_garbage_behind_every_task(rs: Bench) -> None:
    with rs.lake.tasks() as tasks:
        for told in run_work(tasks, [1, 2, 3, 4], search_for_garbage, LARGE).results:
            assert told["modules"] < told["all"] / 10


def test_what_was_put_down_is_gone_at_the_end(rs: Bench) -> None:
    staging = Path(rs.lake.root, "_staging")
    with rs.lake.tasks() as tasks:
        parcel = tasks.put("numbers", pl.DataFrame({"n": [1]}))
        assert run_work(tasks, [parcel], add, LARGE).results == ({"sum": 1},)
        assert len(list(staging.iterdir())) == 1
    assert list(staging.iterdir()) == []


def test_shards_are_the_partitions_of_the_log(bench: Bench) -> None:
    rows = [(1, "a", JANUARY, 0), (2, "b", JANUARY, 1), (3, "c", JANUARY, 1), (4, "d", None, 0)]
    bench.lake.append(bench.rows(rows[:2], DDL), TABLE)
    bench.lake.append(bench.rows(rows[2:], DDL), TABLE)
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
        found = tasks.run(some, read_shards, weight=lambda shard: LARGE, named=lambda shard: "it").results
        assert sorted(map(tuple, found[0]["rows"])) == [(2, 1), (3, 1)]


def test_shards_of_a_pinned_version_hold_what_it_held(bench: Bench) -> None:
    lake = bench.lake
    lake.overwrite(bench.rows([(1, "a", JANUARY, 0)], DDL), TABLE)
    then = lake.version("worked")
    lake.overwrite(bench.rows([(2, "b", JANUARY, 0), (3, "c", JANUARY, 0)], DDL), TABLE)
    columns = ["k", "bucket"]
    with lake.tasks() as tasks:
        old, new = (lake.shards("worked", tasks, columns=columns, version=v) for v in (then, None))
        assert [sum(shard.rows for shard in each) for each in (old, new)] == [1, 2]
        found = tasks.run(old, read_shards, weight=lambda shard: LARGE, named=lambda shard: "it").results
        assert [*map(tuple, found[0]["rows"])] == [(1, 0)]
        with pytest.raises(LakeError, match="worked"):
            lake.shards("worked", tasks, version=then + 99)
    assert lake.schema("worked", version=then) == lake.schema("worked")
    assert lake.schema("nothing", version=3) is None


def test_notes_of_files_are_read_back_until_someone_writes_them_anew(bench: Bench) -> None:
    lake = bench.lake
    with lake.tasks() as tasks:
        lake.append(run_work(tasks, [1, 2], write, SMALL).written, TABLE)
        lake.append(bench.frame([(3, "c", JANUARY, 1)], DDL), TABLE)
        files = [file for shard in lake.shards("worked", tasks) for file in shard.files]
        found = sorted(note.get("item", "-") for note in lake.noted(files))
        # Spark puts rows down for tasks on the other engine, and what it wrote knows nothing of notes
        assert found == ["-", "1", "2"] if isinstance(lake, DeltaRsLake) else set(found) == {"-"}
    lake.compact("worked")
    with lake.tasks() as tasks:
        files = [file for shard in lake.shards("worked", tasks) for file in shard.files]
        assert sum(file.rows for file in files) == 3
        assert {"-"} & {note.get("item", "-") for note in lake.noted(files)}


class Elsewhere:
    """A session of a cluster, which must not be asked for a job."""

    class conf:  # noqa: N801 as Spark has it
        @staticmethod
        def get(_key: str, _default: str) -> str:
            return "spark://host:7077"


def test_workers_of_this_machine_are_started_beside_other_work(spark: SparkSession) -> None:
    done = []
    with workers_awake(spark, ["json"]):
        done.append("meanwhile")
    assert done == ["meanwhile"]
    assert not [thread for thread in threading.enumerate() if thread.name == "wake workers"]
    with workers_awake(Elsewhere(), ["json"]):  # type: ignore[arg-type]
        assert not [thread for thread in threading.enumerate() if thread.name == "wake workers"]
