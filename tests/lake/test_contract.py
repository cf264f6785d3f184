"""What every engine promises, on tables written out in full."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake import Txn
from pozytywka_spark.schemas import table

if TYPE_CHECKING:
    from lake.conftest import Bench

DDL = "k bigint, v string"
PLAIN = table("plain", DDL, keys=["k"])
BY_CITY_DDL = "k bigint, v string, city string"
BY_CITY = table("by_city", BY_CITY_DDL, keys=["k"], partition_by=["city"])


def test_a_table_is_absent_until_written(bench: Bench) -> None:
    lake = bench.lake
    assert not lake.exists("plain")
    assert lake.txn_version("plain", "app") is None
    for ask in (lake.version, lake.read, lake.files, lake.history):
        with pytest.raises(LakeError, match=r"table plain: there is none at .*; run the stage that makes it"):
            ask("plain")


def test_append_creates_and_adds(bench: Bench) -> None:
    assert bench.lake.append(bench.frame([(1, "a"), (2, None)], DDL), PLAIN) == 0
    again = bench.frame([(1, "a")], DDL)
    assert bench.lake.append(again, PLAIN, txn=Txn("ingest", 3)) == 1
    assert bench.lake.append(again, PLAIN, txn=Txn("ingest", 3)) is None
    assert bench.lake.txn_version("plain", "ingest") == 3
    assert bench.lake.exists("plain")
    assert bench.lake.version("plain") == 1
    bench.assert_rows(bench.lake.read("plain"), [(1, "a"), (2, None), (1, "a")], DDL)


def test_overwrite_replaces_rows_and_schema_and_partitions(bench: Bench) -> None:
    lake = bench.lake
    lake.overwrite(bench.rows([(1, "a"), (2, "b")], DDL), PLAIN)
    assert lake.overwrite(bench.frame([(3, "c")], DDL), PLAIN) == 1

    other = table("plain", "k bigint, w double, city string", keys=["k"], partition_by=["city"])
    assert lake.overwrite(bench.frame([(1, 0.5, "x")], "k bigint, w double, city string"), other) == 2
    bench.assert_rows(lake.read("plain"), [(1, 0.5, "x")], "k bigint, w double, city string")
    bench.assert_rows(lake.read("plain", version=1), [(3, "c")], DDL)


def test_columns_are_matched_by_name_and_extra_ones_dropped(on_disk: Bench) -> None:
    on_disk.lake.append(on_disk.frame([("a", 7, 1)], "v string, extra int, k bigint"), PLAIN)
    on_disk.lake.append(on_disk.frame([(2, "b")], DDL), PLAIN)
    on_disk.assert_holds("plain", [(1, "a"), (2, "b")], DDL)


def test_a_wrong_schema_is_refused_by_column(on_disk: Bench) -> None:
    lake = on_disk.lake
    with pytest.raises(LakeError, match="table plain: columns missing: v"):
        lake.append(on_disk.frame([(1,)], "k bigint"), PLAIN)
    with pytest.raises(LakeError, match="table plain: k is int, expected bigint"):
        lake.append(on_disk.frame([(1, "a")], "k int, v string"), PLAIN)
    lake.append(on_disk.rows([(1, "a")], DDL), PLAIN)
    changed = table("plain", "k bigint, v double", keys=["k"])
    with pytest.raises(LakeError, match="v is double, the table holds string"):
        lake.append(on_disk.frame([(1, 0.5)], "k bigint, v double"), changed)
    split = table("plain", DDL, keys=["k"], partition_by=["v"])
    with pytest.raises(LakeError, match=r"partitioned by \(\), not \(v\)"):
        lake.append(on_disk.frame([(1, "a")], DDL), split)
    on_disk.assert_holds("plain", [(1, "a")], DDL)


def test_null_in_a_not_null_column_is_refused(on_disk: Bench) -> None:
    strict = table("strict", "k bigint not null, v string", keys=["k"])
    on_disk.lake.append(on_disk.frame([(1, None)], DDL), strict)
    with pytest.raises(LakeError, match=r"^table strict: column k is NOT NULL, and a row has null$"):
        on_disk.lake.append(on_disk.frame([(2, "b"), (None, "a")], DDL), strict)
    on_disk.assert_holds("strict", [(1, None)], DDL)


def test_empty_frames(bench: Bench) -> None:
    lake = bench.lake
    assert lake.append(bench.frame([], BY_CITY_DDL), BY_CITY) == 0
    bench.assert_rows(lake.read("by_city"), [], BY_CITY_DDL)
    lake.append(bench.rows([(1, "a", "x")], BY_CITY_DDL), BY_CITY)
    lake.append(bench.frame([], BY_CITY_DDL), BY_CITY)
    lake.upsert(bench.frame([], BY_CITY_DDL), BY_CITY)
    bench.assert_holds("by_city", [(1, "a", "x")], BY_CITY_DDL)
    lake.overwrite(bench.frame([], BY_CITY_DDL), BY_CITY)
    bench.assert_holds("by_city", [], BY_CITY_DDL)


def test_upsert_updates_and_inserts(bench: Bench) -> None:
    lake = bench.lake
    before = bench.rows([(1, "a", "x"), (2, "b", "y"), (None, "n", None)], BY_CITY_DDL)
    assert lake.upsert(before, BY_CITY) == 0
    # 2 moves to another partition, null equals null, 3 is new
    lake.upsert(bench.frame([(2, "B", "x"), (3, "c", "z"), (None, "N", "y")], BY_CITY_DDL), BY_CITY)
    after = [(1, "a", "x"), (2, "B", "x"), (3, "c", "z"), (None, "N", "y")]
    bench.assert_holds("by_city", after, BY_CITY_DDL)


def test_upsert_by_other_keys(on_disk: Bench) -> None:
    lake = on_disk.lake
    lake.append(on_disk.rows([(1, "a", "x"), (2, "b", "y")], BY_CITY_DDL), BY_CITY)
    lake.upsert(on_disk.frame([(9, "b", "y"), (8, "a", "y")], BY_CITY_DDL), BY_CITY, ["v", "city"])
    on_disk.assert_holds("by_city", [(1, "a", "x"), (9, "b", "y"), (8, "a", "y")], BY_CITY_DDL)


def test_upsert_refuses_two_rows_of_one_key(on_disk: Bench) -> None:
    on_disk.lake.append(on_disk.rows([(1, "a")], DDL), PLAIN)
    with pytest.raises(LakeError, match=r"table plain: upsert of 2 rows of one key \(k=7\)"):
        on_disk.lake.upsert(on_disk.frame([(7, "a"), (7, "b"), (8, "c")], DDL), PLAIN)
    with pytest.raises(LakeError, match="table plain: key column nope is not there; it has k, v"):
        on_disk.lake.upsert(on_disk.frame([], DDL), PLAIN, ["nope"])
    on_disk.assert_holds("plain", [(1, "a")], DDL)


def test_time_travel(on_disk: Bench) -> None:
    lake = on_disk.lake
    before = datetime.now(UTC) - timedelta(seconds=1)
    lake.append(on_disk.rows([(1, "a")], DDL), PLAIN)
    between = datetime.now(UTC) + timedelta(milliseconds=5)
    while datetime.now(UTC) <= between:
        pass
    lake.append(on_disk.rows([(2, "b")], DDL), PLAIN)
    on_disk.assert_rows(lake.read("plain", version=0), [(1, "a")], DDL)
    on_disk.assert_rows(lake.read("plain", timestamp=between), [(1, "a")], DDL)
    on_disk.assert_rows(lake.read("plain", timestamp=between.replace(tzinfo=None)), [(1, "a")], DDL)
    late = datetime.now(UTC) + timedelta(days=1)
    on_disk.assert_rows(lake.read("plain", timestamp=late), [(1, "a"), (2, "b")], DDL)
    with pytest.raises(LakeError, match="table plain: no version 9"):
        lake.read("plain", version=9)
    with pytest.raises(LakeError, match="table plain: no version at "):
        lake.read("plain", timestamp=before - timedelta(days=1))
    with pytest.raises(LakeError, match="a version or a timestamp, not both"):
        lake.read("plain", version=0, timestamp=late)


def test_history_is_latest_first(on_disk: Bench) -> None:
    start = datetime.now(UTC) - timedelta(seconds=1)
    on_disk.lake.append(on_disk.rows([(1, "a")], DDL), PLAIN)
    on_disk.lake.overwrite(on_disk.rows([(2, "b")], DDL), PLAIN)
    on_disk.lake.upsert(on_disk.rows([(2, "c")], DDL), PLAIN)
    commits = on_disk.lake.history("plain")
    assert [commit.version for commit in commits] == [2, 1, 0]
    times = [commit.time for commit in commits]
    assert times == sorted(times, reverse=True)
    assert start <= times[-1] <= times[0] <= datetime.now(UTC)
    expected = ["UPSERT", "OVERWRITE", "APPEND"] if on_disk.engine == "delta-rs" else ["MERGE", "WRITE"]
    assert [commit.operation for commit in commits][: len(expected)] == expected


def test_nested_columns_and_microseconds(bench: Bench) -> None:
    ddl = (
        "k bigint, s struct<a: int, b: array<string>>, l array<struct<x: double>>, m map<string, int>, "
        "t timestamp, d decimal(20, 4), f boolean"
    )
    nested = table("nested", ddl, keys=["k"])
    frame = bench.frame(
        [(1, (1, ["x", None]), [(0.5,), None], {"a": 1, "b": None}, True), (2, None, None, None, None)],
        "k bigint, s struct<a: int, b: array<string>>, l array<struct<x: double>>, m map<string, int>, "
        "f boolean",
    ).withColumns(
        {
            "t": F.when(F.col("k") == 1, F.lit("2023-01-03 05:14:02.707001").cast("timestamp")),
            "d": F.when(F.col("k") == 1, F.lit("1234567890123456.7891").cast("decimal(20, 4)")),
        }
    )
    bench.lake.append(frame, nested)
    found = bench.lake.read("nested").select(
        "k",
        "s.a",
        F.array_join("s.b", "|", "null").alias("b"),
        F.col("l")[0]["x"].alias("x"),
        F.col("m")["a"].alias("ma"),
        F.unix_micros("t").alias("t"),
        F.col("d").cast("string").alias("d"),
        "f",
    )
    bench.assert_rows(
        found,
        [(1, 1, "x|null", 0.5, 1, 1672722842707001, "1234567890123456.7891", True), (2, *[None] * 7)],
        "k bigint, a int, b string, x double, ma int, t bigint, d string, f boolean",
    )


def test_the_same_transaction_is_done_once(on_disk: Bench) -> None:
    lake = on_disk.lake
    frame, rows = (make([(1, "a", "x")], BY_CITY_DDL) for make in (on_disk.frame, on_disk.rows))
    assert lake.append(rows, BY_CITY, txn=Txn("ingest", 3)) == 0
    assert lake.append(frame, BY_CITY, txn=Txn("ingest", 3)) is None
    assert lake.overwrite(frame, BY_CITY, txn=Txn("ingest", 2)) is None
    assert lake.replace_partitions(frame, BY_CITY, [{"city": "x"}], txn=Txn("ingest", 3)) is None
    assert lake.upsert(frame, BY_CITY, txn=Txn("ingest", 3)) is None
    assert lake.txn_version("by_city", "ingest") == 3
    assert lake.txn_version("by_city", "other") is None
    assert lake.version("by_city") == 0
    assert lake.upsert(on_disk.frame([(1, "b", "x")], BY_CITY_DDL), BY_CITY, txn=Txn("ingest", 4)) == 1
    assert lake.append(rows, BY_CITY, txn=Txn("other", 0)) == 2
    assert lake.overwrite(frame, BY_CITY, txn=Txn("other", 1)) == 3
    assert lake.txn_version("by_city", "ingest") == 4
    on_disk.assert_holds("by_city", [(1, "a", "x")], BY_CITY_DDL)


def test_compact_keeps_the_rows(bench: Bench) -> None:
    rows = [(number, "v", "x" if number % 2 else None) for number in range(4)]
    for row in rows:
        bench.lake.append(bench.rows([row], BY_CITY_DDL), BY_CITY)
    assert bench.lake.compact("by_city") == 4
    assert bench.lake.compact("by_city") is None
    bench.assert_holds("by_city", rows, BY_CITY_DDL)
    bench.assert_rows(bench.lake.read("by_city", version=2), rows[:3], BY_CITY_DDL)


def test_vacuum_keeps_what_is_pinned(bench: Bench) -> None:
    for number in range(3):
        bench.lake.overwrite(bench.rows([(number, "v")], DDL), PLAIN)
    assert bench.lake.vacuum("plain", retention_hours=1) == 0
    # delta-spark keeps everything since the oldest pinned version, delta-rs exactly the pinned ones
    gone = bench.lake.vacuum("plain", retention_hours=0, keep_versions=[1])
    assert gone >= (1 if bench.engine == "delta-rs" else 0)
    bench.assert_rows(bench.lake.read("plain", version=1), [(1, "v")], DDL)
    bench.assert_holds("plain", [(2, "v")], DDL)
    assert bench.lake.vacuum("plain", retention_hours=0, keep_versions=[1]) == 0
    if bench.engine == "delta-rs":
        with pytest.raises(
            LakeError, match="table plain: version 0 can't be read any more: a vacuum deleted"
        ):
            bench.lake.read("plain", version=0)
    with pytest.raises(LakeError, match="table plain: no version 99"):
        bench.lake.vacuum("plain", retention_hours=0, keep_versions=[99])
    with pytest.raises(LakeError, match="retention_hours=-1"):
        bench.lake.vacuum("plain", retention_hours=-1)
