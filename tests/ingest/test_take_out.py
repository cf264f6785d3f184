"""What is left of quarantine after a replay, by each engine: no row goes but those that left."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import load_settings
from pozytywka_spark.ingest.intake.contracts import USERS
from pozytywka_spark.ingest.parcels import LEFT, LEFT_ROWS
from pozytywka_spark.ingest.resolve import replay
from pozytywka_spark.lake import open_lake, spark_shards
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.lake.frame_writer import write_frame
from pozytywka_spark.lake.shards import Written
from pozytywka_spark.lake.table_files import TableFiles
from pozytywka_spark.schemas import QUARANTINE, Table
from tests.jars import needed


@pytest.mark.parametrize("engine", ["delta-rs", pytest.param("delta-spark", marks=pytest.mark.jvm)])
def test_rows_stay_that_lie_in_other_files_of_the_partition(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    if engine == "delta-spark":
        needed("delta")
    lake = open_lake(load_settings("local", [f"home={tmp_path}", f"lake.engine={engine}"]), spark)
    whole = write_frame

    def in_two_files(df: DataFrame, table: Table, place: TableFiles) -> list[Written]:
        """As Spark does with a partition that is large."""
        first = F.col("quarantine_id") < "c"
        return [*whole(df.where(first), table, place), *whole(df.where(~first), table, place)]

    monkeypatch.setattr(spark_shards, "write_frame", in_two_files)
    for entity, names in (("users", "ab"), ("users", "cd"), ("tracks", "a")):
        rows = [{"quarantine_id": name, "entity": entity, "raw": f"{entity} {name}"} for name in names]
        lake.append(as_table(rows, QUARANTINE), QUARANTINE)
    with lake.tasks() as tasks:
        files = replay.quarantined(lake, tasks, USERS)
        assert len(files) == 2
        left = tasks.put(LEFT, pl.DataFrame({"line_id": ["a"]}, LEFT_ROWS))
        replay._take_out(lake, tasks, USERS, files, [left])
    rows = lake.rows(QUARANTINE.name).select(["entity", "quarantine_id"]).to_pylist()
    assert sorted(tuple(row.values()) for row in rows) == [
        ("tracks", "a"), ("users", "b"), ("users", "c"), ("users", "d"),
    ]  # fmt: skip
