"""Each engine behind one fixture: delta-rs on a disk and on S3, delta-spark on Delta's own JVM classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from pozytywka_spark.config import load_settings
from pozytywka_spark.lake import Lake, open_lake
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

    def assert_rows(self, actual: DataFrame, rows: Sequence[tuple[Any, ...]], ddl: str) -> None:
        """`actual` is exactly these rows, in any order, with these columns.

        Sorted here: Spark would sort both sides in seven jobs, which took half of these tests' time.
        """
        columns = [[(field.name, field.dataType) for field in s] for s in (actual.schema, parse_ddl(ddl))]
        assert columns[0] == columns[1]
        assert sorted(map(tuple, actual.collect()), key=repr) == sorted(rows, key=repr)


@pytest.fixture(params=[DELTA_RS, S3, pytest.param(JVM, marks=pytest.mark.jvm)])
def bench(request: pytest.FixtureRequest, spark: SparkSession, tmp_path: Path) -> Bench:
    """An empty lake of each engine."""
    if request.param == JVM:
        needed("delta")
        return Bench(JVM, _lake(tmp_path, "delta-spark", spark), spark)
    if request.param == S3:
        server = request.getfixturevalue("s3_server")
        places = [f"lake.root={server.folder()}", *server.overrides]
        return Bench(DELTA_RS, _lake(tmp_path, DELTA_RS, spark, *places), spark)
    return Bench(DELTA_RS, _lake(tmp_path, DELTA_RS, spark), spark)


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
