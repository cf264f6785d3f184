"""Work in Spark's tasks and in the process itself: the same outcome, and errors that say what was held."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from pyspark.sql import Row, SparkSession

from pozytywka_spark.errors import DataError, LakeError
from pozytywka_spark.lake import Txn
from pozytywka_spark.lake.delta_rs.engine import DeltaRsLake
from pozytywka_spark.lake.open_tasks import workers_awake
from pozytywka_spark.lake.run_tasks import INLINE_BYTES
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.schemas import table
from pozytywka_spark.schemas.ddl import parse_ddl
from tests.lake.conftest import Bench
from tests.lake.task_work import (
    DDL,
    JANUARY,
    TABLE,
    add,
    both_ways,
    die,
    keep_odd,
    read_shards,
    refuse,
    search_for_garbage,
    write,
)

SMALL, LARGE = 1, INLINE_BYTES + 1


def _run(tasks: Tasks, items: Sequence[Any], work: Any, weight: int) -> Done:
    return tasks.run(items, work, weight=lambda _: weight, named=lambda item: f"item {item}")


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
        done = _run(tasks, [1, 2, 3, 4], write, weight)
        assert sorted(told["item"] for told in done.results) == [1, 2, 3, 4]
        assert {told["day"] for told in done.results} == {date(2022, 1, day) for day in (2, 3, 4, 5)}
        assert {parcel.key for parcel in done.of("numbers")} == {("x", 1), ("x", 2), ("x", 3), ("x", 4)}
        total = _run(tasks, done.of("numbers"), add, weight)
        assert sum(told["sum"] for told in total.results) == 10
        assert lake.append(done.written, TABLE, txn=Txn("tests", 1)) == 0
        assert lake.append(done.written, TABLE, txn=Txn("tests", 1)) is None
    rows = [(1, "n1", JANUARY, 1), (2, "n2", JANUARY, 0), (3, "n3", JANUARY, 1), (4, "n4", JANUARY, 0)]
    bench.assert_rows(lake.read("worked"), rows, DDL)
    assert sorted(map(tuple, (row.values() for row in lake.rows("worked").to_pylist()))) == rows


def test_small_work_is_done_by_the_process_itself_where_files_are_local(rs: Bench) -> None:
    with rs.lake.tasks() as tasks:
        assert {told["pid"] for told in _run(tasks, [1, 2], write, SMALL).results} == {os.getpid()}
        large = _run(tasks, [1, 2, 3], write, LARGE).results
        assert os.getpid() not in {told["pid"] for told in large}
        assert {told["threads"] for told in large} == {1}, "POLARS_MAX_THREADS came too late"


def test_nothing_passes_the_driver_on_an_object_store(bench: Bench) -> None:
    if bench.lake.root.startswith("/"):
        pytest.skip("a local folder")
    with bench.lake.tasks() as tasks:
        assert os.getpid() not in {told["pid"] for told in _run(tasks, [1, 2], write, SMALL).results}


def test_no_items_run_nothing(rs: Bench) -> None:
    with rs.lake.tasks() as tasks:
        assert _run(tasks, [], refuse, LARGE) == Done((), (), ())


@pytest.mark.parametrize("weight", [SMALL, LARGE])
def test_an_error_of_ours_arrives_as_it_was(bench: Bench, weight: int) -> None:
    with bench.lake.tasks() as tasks, pytest.raises(DataError) as caught:
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
            assert len(_run(tasks, [1, 2, 3, 4], write, LARGE).results) == 4


def test_modules_are_not_searched_for_garbage_behind_every_task(rs: Bench) -> None:
    with rs.lake.tasks() as tasks:
        for told in _run(tasks, [1, 2, 3, 4], search_for_garbage, LARGE).results:
            assert told["modules"] < told["all"] / 10


def test_what_was_put_down_is_gone_at_the_end(rs: Bench) -> None:
    staging = Path(rs.lake.root, "_staging")
    with rs.lake.tasks() as tasks:
        parcel = tasks.put("numbers", pl.DataFrame({"n": [1]}))
        assert _run(tasks, [parcel], add, LARGE).results == ({"sum": 1},)
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
        found = tasks.run(some, read_shards, weight=lambda shard: LARGE, named=lambda shard: "it").results
        assert sorted(map(tuple, found[0]["rows"])) == [(2, 1), (3, 1)]


def test_shards_of_a_pinned_version_hold_what_it_held(bench: Bench) -> None:
    lake = bench.lake
    lake.overwrite(bench.frame([(1, "a", JANUARY, 0)], DDL), TABLE)
    then = lake.version("worked")
    lake.overwrite(bench.frame([(2, "b", JANUARY, 0), (3, "c", JANUARY, 0)], DDL), TABLE)
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
        lake.append(_run(tasks, [1, 2], write, SMALL).written, TABLE)
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


def test_what_tasks_wrote_overwrites_a_table_of_other_partitions(bench: Bench) -> None:
    """As a release does that adds buckets of users to a table of months."""
    by_month = table("worked", "k bigint, month date", keys=["k"], partition_by=["month"])
    bench.lake.overwrite(bench.frame([(9, JANUARY)], "k bigint, month date"), by_month)
    with bench.lake.tasks() as tasks:
        bench.lake.overwrite(_run(tasks, [1, 2], write, SMALL).written, TABLE)
        bench.assert_rows(bench.lake.read("worked"), [(1, "n1", JANUARY, 1), (2, "n2", JANUARY, 0)], DDL)
        bench.lake.replace_partitions(_run(tasks, [4], write, SMALL).written, TABLE, [{"month": JANUARY}])
    bench.assert_rows(bench.lake.read("worked"), [(4, "n4", JANUARY, 0)], DDL)


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


KEYED = table(
    "keyed", "k bigint, name string, tags map<string,int>, day int", keys=["k"], partition_by=["day"]
)
KEYED_DDL = "k bigint, name string, tags map<string,int>, day int"


def _arrow(bench: Bench, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    columns = dict(zip(KEYED.columns, zip(*rows, strict=True), strict=True))
    columns["tags"] = [list((tags or {}).items()) for tags in columns["tags"]]
    return pa.table({name: pa.array(columns[name], kind) for name, kind in KEYED_TYPES.items()})


KEYED_TYPES = {
    "name": pa.string(),
    "day": pa.int32(),
    "k": pa.int64(),
    "tags": pa.map_(pa.string(), pa.int32()),
}


def test_upsert_of_rows_of_the_driver(bench: Bench) -> None:
    lake = bench.lake
    old = [(1, "a", {"x": 1}, 1), (2, "b", {}, 1), (3, "c", {}, 2), (None, "d", {}, 2)]
    assert lake.upsert(_arrow(bench, old), KEYED) == 0
    new = [(2, "B", {"y": 2}, 1), (None, "D", {}, 3), (9, "e", {}, 4)]
    assert lake.upsert(_arrow(bench, new), KEYED, txn=Txn("tests", 1)) == 1
    bench.assert_rows(lake.read("keyed"), [old[0], old[2], *new], KEYED_DDL)
    with pytest.raises(
        LakeError, match=r"table keyed: upsert of 2 rows of one key \(k=5\); keep one of each"
    ):
        lake.upsert(_arrow(bench, [(5, "a", {}, 1), (5, "b", {}, 1)]), KEYED)
    assert lake.version("keyed") == 1


def test_upsert_of_what_tasks_wrote(bench: Bench) -> None:
    lake = bench.lake
    lake.append(
        bench.frame([(1, "old", JANUARY, 1), (2, "old", JANUARY, 0), (7, "old", JANUARY, 1)], DDL), TABLE
    )
    with lake.tasks() as tasks:
        written = _run(tasks, [1, 2, 3], write, SMALL).written
        lake.upsert(written, TABLE)
    rows = [(1, "n1", JANUARY, 1), (2, "n2", JANUARY, 0), (3, "n3", JANUARY, 1), (7, "old", JANUARY, 1)]
    bench.assert_rows(lake.read("worked"), rows, DDL)


def test_files_no_key_of_which_is_there_stay(rs: Bench) -> None:
    for day in (1, 2):
        rs.lake.append(_arrow(rs, [(day, "a", {}, day), (day + 10, "a", {}, day)]), KEYED)
    before = set(rs.lake.files("keyed"))
    rs.lake.upsert(_arrow(rs, [(11, "new", {}, 1)]), KEYED)
    after = set(rs.lake.files("keyed"))
    assert {name.split("/")[0] for name in before - after} == {"day=1"}
    assert len(after & before) == 1


def test_rewrite_replaces_exactly_the_files_that_were_read(bench: Bench) -> None:
    lake = bench.lake
    rows = [(1, "a", JANUARY, 0), (2, "b", JANUARY, 0), (3, "c", JANUARY, 1)]
    lake.append(bench.frame(rows, DDL), TABLE)
    with lake.tasks() as tasks:
        shards = lake.shards("worked", tasks, [{"bucket": 0}])
        done = tasks.run(shards, keep_odd, weight=lambda _: SMALL, named=lambda _: "it")
        files = [file for shard in shards for file in shard.files]
        lake.rewrite(TABLE, files, done.written)
        bench.assert_rows(lake.read("worked"), [rows[0], rows[2]], DDL)
        with pytest.raises(LakeError, match="table worked: another writer changed"):
            lake.rewrite(TABLE, files, done.written)


def test_declared_columns_are_added_by_the_write_that_needs_them(bench: Bench) -> None:
    bench.lake.append(
        bench.frame([(1, 1)], "k bigint, day int"), table("grown", "k bigint, day int", keys=["k"])
    )
    new = table("grown", "k bigint, day int, note string", keys=["k"])
    rows = pa.table({"k": [2], "day": pa.array([2], pa.int32()), "note": ["x"]})
    bench.lake.upsert(rows, new)
    bench.assert_rows(bench.lake.read("grown"), [(1, 1, None), (2, 2, "x")], "k bigint, day int, note string")
    more = table("grown", "k bigint, day int, note string, yes boolean", keys=["k"])
    bench.lake.append(rows.append_column("yes", pa.array([True])), more)
    assert bench.lake.rows("grown", ["yes"]).to_pylist().count({"yes": None}) == 2


def test_spark_reads_every_type_that_tasks_write(rs: Bench) -> None:
    ddl = (
        "id binary, at timestamp, t tinyint, s smallint, i int, day date, price decimal(10,2), "
        "wide decimal(20,0), f float, yes boolean, pair struct<a:int,b:string>, days array<date>, "
        "m map<string,bigint>"
    )
    row = (
        bytearray(b"\x00\xff" * 8), datetime(2022, 1, 3, 5, 9, 55, 123456), -128, -(2**15), 2**31 - 1,
        date(1, 1, 1), Decimal("-1.50"), Decimal(10**19), 1.5, True, Row(a=1, b="x"), [JANUARY, None],
        {"k": 2**40},
    )  # fmt: skip
    of = table("kinds", ddl, keys=["id"])
    rows = rs.frame([row, (None,) * len(row)], ddl).toArrow()
    rs.lake.append(rows, of)
    rs.assert_rows(rs.lake.read("kinds"), [row, (None,) * len(row)], ddl)


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
