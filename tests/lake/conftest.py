"""Each engine behind one fixture: delta-rs on a disk and on S3, delta-spark on Delta's own JVM classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from pozytywka_spark.config import load_settings
from pozytywka_spark.lake import Lake, open_lake
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.schemas.ddl import parse_ddl
from tests.jars import needed

DELTA_RS = "delta-rs"
S3 = "delta-rs on S3"
JVM = "delta-spark on the JVM"


@dataclass
class Bench:
    """A lake under test and the session that makes its frames."""

    engine: str
    lake: Lake
    spark: SparkSession

    def frame(self, rows: Sequence[tuple[Any, ...]], ddl: str) -> DataFrame:
        return self.spark.createDataFrame(list(rows), ddl)

    def rows(self, rows: Sequence[tuple[Any, ...]], ddl: str) -> pa.Table:
        """As `frame`, but rows of this process: no engine needs Spark to write them."""
        return as_rows(rows, parse_ddl(ddl))

    def assert_holds(self, name: str, rows: Sequence[tuple[Any, ...]], ddl: str) -> None:
        """The table is now exactly these rows, in any order, with these columns: read without Spark."""
        schema = self.lake.schema(name)
        assert schema is not None
        assert _columns(schema) == _columns(parse_ddl(ddl))
        held = self.lake.rows(name)
        assert held.column_names == schema.names
        found = [tuple(row.values()) for row in held.to_pylist()]
        assert sorted(found, key=repr) == sorted(rows, key=repr)

    def assert_rows(self, actual: DataFrame, rows: Sequence[tuple[Any, ...]], ddl: str) -> None:
        """`actual` is exactly these rows, in any order, with these columns.

        Sorted here: Spark would sort both sides in seven jobs, which took half of these tests' time.
        """
        assert _columns(actual.schema) == _columns(parse_ddl(ddl))
        assert sorted(map(tuple, actual.collect()), key=repr) == sorted(rows, key=repr)


def as_rows(rows: Sequence[tuple[Any, ...]], schema: T.StructType) -> pa.Table:
    """The rows, their values in the order of the schema's columns."""
    columns = arrow_schema(schema)
    return pa.Table.from_pylist([dict(zip(columns.names, row, strict=True)) for row in rows], columns)


def _columns(schema: T.StructType) -> list[tuple[str, T.DataType]]:
    return [(field.name, field.dataType) for field in schema]


@pytest.fixture(params=[DELTA_RS, S3, pytest.param(JVM, marks=pytest.mark.jvm)])
def bench(request: pytest.FixtureRequest, spark: SparkSession, tmp_path: Path) -> Bench:
    """An empty lake of each engine, and of delta-rs on S3."""
    return _bench(request, spark, tmp_path)


def _bench(request: pytest.FixtureRequest, spark: SparkSession, tmp_path: Path) -> Bench:
    if request.param == JVM:
        needed("delta")
        return Bench(JVM, _lake(tmp_path, "delta-spark", spark), spark)
    if request.param == S3:
        server = request.getfixturevalue("s3_server")
        places = [f"lake.root={server.folder()}", *server.overrides]
        return Bench(DELTA_RS, _lake(tmp_path, DELTA_RS, spark, *places), spark)
    return Bench(DELTA_RS, _lake(tmp_path, DELTA_RS, spark), spark)


@pytest.fixture(params=[DELTA_RS, pytest.param(JVM, marks=pytest.mark.jvm)])
def on_disk(request: pytest.FixtureRequest, spark: SparkSession, tmp_path: Path) -> Bench:
    """`bench` for what doesn't depend on where an engine keeps its files: on a disk alone."""
    return _bench(request, spark, tmp_path)


@pytest.fixture
def rs(spark: SparkSession, tmp_path: Path) -> Bench:
    """An empty lake of the delta-rs engine, for what only it promises."""
    return Bench(DELTA_RS, _lake(tmp_path, DELTA_RS, spark), spark)


@pytest.fixture(scope="module")
def rs_module(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """`rs` for tables that a module's tests only read."""
    return Bench(DELTA_RS, _lake(tmp_path_factory.mktemp("lake"), DELTA_RS, spark), spark)


def _lake(home: Path, engine: str, spark: SparkSession, *overrides: str) -> Lake:
    return open_lake(load_settings("local", [f"home={home}", f"lake.engine={engine}", *overrides]), spark)
