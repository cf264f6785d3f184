"""Tables of the delta-rs engine, read by readers that know nothing of it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable, QueryBuilder
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import load_settings
from pozytywka_spark.lake import open_lake
from pozytywka_spark.schemas import table

if TYPE_CHECKING:
    from lake.conftest import Bench

DDL = (
    "k bigint, s struct<a: int, l: array<string>>, t timestamp, d decimal(12, 3), x double, "
    "month date, city string"
)
TABLE = table("shared", DDL, keys=["k"], partition_by=["month", "city"])
TIME = datetime(2023, 1, 3, 5, 14, 2, 707001)

EXPECTED = [
    (1, [None], TIME, Decimal("1.234"), 0.5, date(2023, 1, 1), "a b/ż%"),
    (2, None, None, None, None, None, None),
    (3, ["x", "y"], TIME, Decimal("-7.000"), float("nan"), date(2023, 2, 1), "x:y"),
]
COLUMNS = ["k", "l", "t", "d", "x", "month", "city"]


@pytest.fixture(scope="module")
def written(rs_module: Bench) -> str:
    """A table with partitions, nested values, nulls, a replaced partition and an upserted row."""
    rs = rs_module
    rows = [
        (1, (1, [None]), "1.234", 0.5, date(2023, 1, 1), "a b/ż%"),
        (2, None, None, None, None, None),
        (3, (None, ["x", "y"]), "-7.000", float("nan"), date(2023, 2, 1), "x:y"),
        (4, None, "4", 4.0, date(2023, 3, 1), "gone"),
    ]
    frame = rs.frame(
        rows, "k bigint, s struct<a: int, l: array<string>>, d string, x double, month date, city string"
    )
    typed = frame.withColumns(
        {
            "t": F.when(F.col("k") % 2 == 1, F.lit("2023-01-03 05:14:02.707001").cast("timestamp")),
            "d": F.col("d").cast("decimal(12, 3)"),
        }
    )
    rs.lake.append(typed, TABLE)
    rs.lake.replace_partitions(typed.limit(0), TABLE, [{"month": date(2023, 3, 1)}])
    rs.lake.upsert(typed.filter("k = 3"), TABLE)
    return rs.lake.path("shared")


def _same(rows: list[tuple[Any, ...]]) -> bool:
    """Equal to what is expected, not-a-number equal to itself and zones dropped."""

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.replace(tzinfo=None)
        return "nan" if value != value else value

    return [tuple(map(plain, row)) for row in rows] == [tuple(map(plain, row)) for row in EXPECTED]


def test_deltalake_reads_it(written: str) -> None:
    query = "select k, s['l'] as l, t, d, x, month, city from shared order by k"
    found = pa.table(QueryBuilder().register("shared", DeltaTable(written)).execute(query).read_all())
    assert _same([tuple(row[name] for name in COLUMNS) for row in found.to_pylist()])


def test_polars_reads_it(written: str) -> None:
    found = (
        pl.scan_delta(written)
        .with_columns(l=pl.col("s").struct.field("l"))
        .select(COLUMNS)
        .sort("k")
        .collect()
    )
    assert _same(found.rows())


def test_duckdb_reads_it(written: str) -> None:
    """Through its Delta extension where that is installed, else over the snapshot's Arrow stream."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "TimeZone": "UTC"})
    try:
        connection.execute("LOAD delta")
        source = f"delta_scan('{written}')"
    except duckdb.Error:
        connection.register("snapshot", pa.RecordBatchReader.from_stream(DeltaTable(written).scan()))
        source = "snapshot"
    found = connection.execute(
        f"select k, s.l as l, t, d, x, month, city from {source} order by k"
    ).fetchall()
    assert _same(found)


def test_duckdb_reads_the_snapshots_own_files(written: str) -> None:
    """What is on disk is plain Parquet in Hive's folders: no reader needs Delta to be installed."""
    files = DeltaTable(written).file_uris()
    source = f"read_parquet({files!r}, hive_partitioning = true, hive_types = {{'city': varchar}})"
    found = duckdb.sql(f"select k, city from {source} order by k").fetchall()
    assert found == [(1, "a b/ż%"), (2, None), (3, "x:y")]


def test_a_root_of_odd_characters(spark: SparkSession, tmp_path: Path) -> None:
    ddl = "k bigint, city string"
    odd = table("odd", ddl, keys=["k"], partition_by=["city"])
    lake = open_lake(load_settings("local", [f"lake.root={tmp_path}/a b ż#'x'"]), spark)
    lake.append(spark.createDataFrame([(1, "x"), (2, "y%")], ddl), odd)
    lake.upsert(spark.createDataFrame([(2, "z")], ddl), odd)
    assert sorted(map(tuple, lake.read("odd").collect())) == [(1, "x"), (2, "z")]
    assert (tmp_path / "a b ż#'x'" / "odd" / "_delta_log").is_dir()


def test_what_deltalake_writes_is_read_and_extended(rs: Bench) -> None:
    """The other way round: a table that another writer made is taken as it is."""
    from deltalake import write_deltalake

    other = pa.table({"k": pa.array([1, 2], pa.int64()), "city": ["a/b %", None]})
    write_deltalake(rs.lake.path("foreign"), other, partition_by=["city"])
    foreign = table("foreign", "k bigint, city string", keys=["k"], partition_by=["city"])
    rs.lake.upsert(rs.frame([(2, "moved"), (3, "a/b %")], "k bigint, city string"), foreign)
    rs.assert_rows(
        rs.lake.read("foreign"), [(1, "a/b %"), (2, "moved"), (3, "a/b %")], "k bigint, city string"
    )
