"""Files that tasks wrote, and rows of the driver, become versions of tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import Row

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake import Txn
from pozytywka_spark.schemas import table
from tests.lake.conftest import Bench
from tests.lake.made_work import SMALL, run_work
from tests.lake.task_work import (
    DDL,
    JANUARY,
    TABLE,
    keep_odd,
    write,
)


def test_what_tasks_wrote_overwrites_a_table_of_other_partitions(bench: Bench) -> None:
    """As a release does that adds buckets of users to a table of months."""
    by_month = table("worked", "k bigint, month date", keys=["k"], partition_by=["month"])
    bench.lake.overwrite(bench.rows([(9, JANUARY)], "k bigint, month date"), by_month)
    with bench.lake.tasks() as tasks:
        bench.lake.overwrite(run_work(tasks, [1, 2], write, SMALL).written, TABLE)
        bench.assert_holds("worked", [(1, "n1", JANUARY, 1), (2, "n2", JANUARY, 0)], DDL)
        bench.lake.replace_partitions(run_work(tasks, [4], write, SMALL).written, TABLE, [{"month": JANUARY}])
    bench.assert_holds("worked", [(4, "n4", JANUARY, 0)], DDL)


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
    bench.assert_holds("worked", whole[:2], DDL)
    bench.lake.overwrite(rows.slice(2), TABLE)
    bench.assert_holds("worked", whole[2:], DDL)
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
        bench.rows([(1, "old", JANUARY, 1), (2, "old", JANUARY, 0), (7, "old", JANUARY, 1)], DDL), TABLE
    )
    with lake.tasks() as tasks:
        written = run_work(tasks, [1, 2, 3], write, SMALL).written
        lake.upsert(written, TABLE)
    rows = [(1, "n1", JANUARY, 1), (2, "n2", JANUARY, 0), (3, "n3", JANUARY, 1), (7, "old", JANUARY, 1)]
    bench.assert_holds("worked", rows, DDL)


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
    lake.append(bench.rows(rows, DDL), TABLE)
    with lake.tasks() as tasks:
        shards = lake.shards("worked", tasks, [{"bucket": 0}])
        done = tasks.run(shards, keep_odd, weight=lambda _: SMALL, named=lambda _: "it")
        files = [file for shard in shards for file in shard.files]
        lake.rewrite(TABLE, files, done.written)
        bench.assert_holds("worked", [rows[0], rows[2]], DDL)
        with pytest.raises(LakeError, match="table worked: another writer changed"):
            lake.rewrite(TABLE, files, done.written)


def test_declared_columns_are_added_by_the_write_that_needs_them(bench: Bench) -> None:
    bench.lake.append(
        bench.rows([(1, 1)], "k bigint, day int"), table("grown", "k bigint, day int", keys=["k"])
    )
    new = table("grown", "k bigint, day int, note string", keys=["k"])
    rows = pa.table({"k": [2], "day": pa.array([2], pa.int32()), "note": ["x"]})
    bench.lake.upsert(rows, new)
    bench.assert_holds("grown", [(1, 1, None), (2, 2, "x")], "k bigint, day int, note string")
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
