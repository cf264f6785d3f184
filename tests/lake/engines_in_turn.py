"""Both engines on one table in turn, every write and every upkeep, against rows in a dictionary.

    python -m tests.lake.engines_in_turn FOLDER

does two rounds in a session that is made to live for seconds.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from pozytywka_spark.config import load_settings
from pozytywka_spark.lake import Lake, Txn, open_lake
from pozytywka_spark.schemas import table
from pozytywka_spark.spark.session import build_session
from tests.jars import delta_overrides

RS, JVM = ENGINES = ("delta-rs", "delta-spark")
TURNS = table("turns", "k bigint, v string, city string", keys=["k"], partition_by=["city"])
# Java runs most of this once: whatever its compilers do for later calls is lost
_SHORT_LIVED = (
    "spark.master=local[1]",
    "spark.shuffle_partitions=1",
    "spark.conf.spark.sql.codegen.wholeStage=false",
    "spark.conf.spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
)


def arrow(*rows: tuple[Any, ...]) -> pa.Table:
    """Rows of `TURNS`."""
    return pa.table(
        {name: list(column) for name, column in zip(["k", "v", "city"], zip(*rows, strict=True), strict=True)}
    )


def contents(lake: Lake) -> list[tuple[Any, ...]]:
    """The rows of the table, sorted."""
    return sorted(tuple(row.values()) for row in lake.rows("turns").to_pylist())


def checkpoint(engine: str, spark: SparkSession, path: str) -> None:
    """A checkpoint of a table's log, by the engine."""
    if engine == RS:
        DeltaTable(path).create_checkpoint()
    else:
        spark._jvm.org.apache.spark.sql.delta.DeltaLog.forTable(spark._jsparkSession, path).checkpoint()


def both(spark: SparkSession, folder: Path) -> dict[str, Lake]:
    """One lake, opened by each engine."""
    root = f"lake.root={folder}/lake"
    return {name: open_lake(load_settings("local", [root, f"lake.engine={name}"]), spark) for name in ENGINES}


def in_turn(lakes: dict[str, Lake], spark: SparkSession, rounds: int) -> None:
    """Raises `AssertionError` where an engine doesn't go on from where the other stopped."""
    oracle: dict[int, tuple[str, str | None]] = {}
    for turn in range(rounds):
        engine = ENGINES[turn % 2]
        lake, city, txn = lakes[engine], f"o {turn % 3}/%'", Txn("turns", turn)
        new = {10 * turn: (f"new {turn}", city), 10 * turn + 1: ("", None)}
        assert lake.append(arrow(*((k, *rest) for k, rest in new.items())), TURNS, txn=txn) is not None
        # the other engine knows that it is done
        assert lakes[ENGINES[turn % 2 - 1]].append(arrow((-1, "twice", city)), TURNS, txn=txn) is None
        oracle |= new
        changed = {10 * turn - 10: (f"changed {turn}", "moved"), 10 * turn + 2: ("inserted", city)}
        lake.upsert(arrow(*((k, *rest) for k, rest in changed.items())), TURNS)
        oracle |= changed
        if turn % 3 == 2:
            replaced = {10 * turn + 3: (f"alone {turn}", "moved")}
            lake.replace_partitions(
                arrow(*((k, *rest) for k, rest in replaced.items())), TURNS, [{"city": "moved"}]
            )
            oracle = {k: row for k, row in oracle.items() if row[1] != "moved"} | replaced
        if turn % 3 == 1:
            lake.compact("turns")
        elif turn % 3 == 2:
            checkpoint(engine, spark, lake.path("turns"))
        elif turn:
            lake.vacuum("turns", retention_hours=0)
        expected = sorted((k, *row) for k, row in oracle.items())
        assert {name: contents(each) for name, each in lakes.items()} == dict.fromkeys(ENGINES, expected), (
            turn
        )
        assert lakes[RS].version("turns") == lakes[JVM].version("turns")


def main(folder: Path) -> None:
    """Two rounds, each begun by another engine."""
    chosen = [f"home={folder}", *delta_overrides(), *_SHORT_LIVED]
    spark = build_session(load_settings("local", chosen), "in-turn")
    in_turn(both(spark, folder), spark, rounds=2)
    spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
