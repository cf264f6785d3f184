"""Both engines on one lake, Delta's own JVM classes and delta-rs: in turn, at once, and what one refuses."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake import Lake, Txn
from pozytywka_spark.schemas import table
from tests.jars import needed
from tests.lake.engines_in_turn import ENGINES, JVM, RS, TURNS, arrow, both, checkpoint, contents, in_turn

pytestmark = pytest.mark.jvm


@pytest.fixture
def lakes(spark: SparkSession, tmp_path: Path) -> dict[str, Lake]:
    """One lake, opened by each engine."""
    needed("delta")
    return both(spark, tmp_path)


def test_each_engine_goes_on_where_the_other_stopped(lakes: dict[str, Lake], spark: SparkSession) -> None:
    in_turn(lakes, spark, rounds=10)


def test_letters_that_the_engines_log_differently_are_not_doubled(
    lakes: dict[str, Lake], spark: SparkSession
) -> None:
    """delta-rs would remove a file under another spelling than Delta's classes gave it: it would stay."""
    rs, jvm = lakes[RS], lakes[JVM]
    jvm.append(arrow((1, "a", "łódź"), (2, "b", "x")), TURNS)
    rs.append(arrow((3, "c", "łódź")), TURNS)
    for change in (
        lambda: rs.upsert(arrow((1, "A", "x")), TURNS),
        lambda: rs.replace_partitions(arrow((4, "d", "łódź")), TURNS, [{"city": "łódź"}]),
        lambda: rs.overwrite(arrow((4, "d", "x")), TURNS),
        lambda: rs.compact("turns"),
    ):
        with pytest.raises(LakeError, match=r"^table turns: lake.engine=delta-rs can't remove city=łódź"):
            change()
    for file in Path(rs.path("turns")).rglob("*.parquet"):
        os.utime(file, (0, 0))  # old enough to be taken for a dead writer's
    rs.vacuum("turns", retention_hours=0)
    rs.upsert(arrow((2, "B", "x")), TURNS)
    rows = [(1, "a", "łódź"), (2, "B", "x"), (3, "c", "łódź")]
    assert contents(rs) == contents(jvm) == rows
    jvm.upsert(arrow((1, "A", "x"), (3, "C", "y")), TURNS)
    assert contents(rs) == contents(jvm) == [(1, "A", "x"), (2, "B", "x"), (3, "C", "y")]


def race(lakes: dict[str, Lake], commits: int) -> None:
    """Two writers of each engine at once; every commit's row must be there, in a version of its own."""

    def write(lake: Lake, writer: int) -> list[int | None]:
        rows = ((writer * 1000 + number, "v", f"w{writer}") for number in range(commits))
        return [lake.append(arrow(row), TURNS, txn=Txn(f"w{writer}", row[0])) for row in rows]

    lakes[RS].append(arrow((-1, "first", "x")), TURNS)
    with ThreadPoolExecutor(4) as threads:
        writers = [threads.submit(write, lakes[ENGINES[number % 2]], number) for number in range(4)]
        versions = [version for writer in writers for version in writer.result()]
    wanted = sorted([-1, *(writer * 1000 + number for writer in range(4) for number in range(commits))])
    for lake in lakes.values():
        assert [row[0] for row in contents(lake)] == wanted
        assert lake.version("turns") == 4 * commits
    assert None not in versions


def test_writers_of_both_engines_at_once_lose_nothing(lakes: dict[str, Lake]) -> None:
    race(lakes, 5)


def test_two_hundred_commits_by_four_writers_lose_nothing(lakes: dict[str, Lake]) -> None:
    race(lakes, 50)


# What Delta's classes made, how its rows came to be, and what delta-rs may do with it.
NONE, READ, ALL = "nothing", "read", "all"
FEATURES: dict[str, tuple[str, str, tuple[str, ...], str, str]] = {
    "deletion vectors": (
        "k bigint, v string", "", ("delta.enableDeletionVectors=true",), NONE, "deletionVectors",
    ),
    "column mapping": ("k bigint, v string", "", ("delta.columnMapping.mode=name",), NONE, "columnMapping"),
    "row tracking": ("k bigint, v string", "", ("delta.enableRowTracking=true",), READ, "rowTracking"),
    "type widening": ("k int, v string", "", ("delta.enableTypeWidening=true",), NONE, "typeWidening"),
    "v2 checkpoints": ("k bigint, v string", "", ("delta.checkpointPolicy=v2",), ALL, ""),
    "liquid clustering": ("k bigint, v string", "CLUSTER BY (k)", (), READ, "clustering"),
    "timestamps without a zone": ("k bigint, v string, at timestamp_ntz", "", (), ALL, ""),
}  # fmt: skip


@pytest.mark.parametrize("feature", FEATURES)
def test_what_an_engine_can_not_honour_it_refuses_by_name(
    lakes: dict[str, Lake], spark: SparkSession, feature: str
) -> None:
    ddl, clause, properties, allowed, named = FEATURES[feature]
    path = lakes[JVM].path("made")
    listed = ", ".join("'{}'='{}'".format(*each.split("=")) for each in properties)
    spark.sql(
        f"CREATE TABLE delta.`{path}` ({ddl}) USING delta {clause} "
        + (f"TBLPROPERTIES ({listed})" if listed else "")
    )
    declared = table("made", ddl.replace("k int,", "k bigint,"), keys=["k"])
    more = ", timestamp_ntz'2023-01-03 05:14:02.707001'" if "ntz" in ddl else ""
    spark.sql(
        f"INSERT INTO delta.`{path}` SELECT k, concat('v', k){more} FROM VALUES (1), (2), (3), (4) AS t(k)"
    )
    if feature == "type widening":
        spark.sql(f"ALTER TABLE delta.`{path}` ALTER COLUMN k TYPE bigint")
    if feature == "v2 checkpoints":
        checkpoint(JVM, spark, path)
    spark.sql(f"DELETE FROM delta.`{path}` WHERE k = 2")
    rows = [(1, "v1"), (3, "v3"), (4, "v4")]

    def found(lake: Lake) -> list[tuple[Any, ...]]:
        return sorted(map(tuple, lake.read("made").select("k", "v").collect()))

    def shard(lake: Lake) -> int:
        with lake.tasks() as tasks:
            return sum(shard.rows for shard in lake.shards("made", tasks))

    def append(lake: Lake) -> Any:
        again = lake.read("made").where("k = 1").limit(1) if allowed != NONE else spark_rows
        return lake.append(again, declared)

    spark_rows = spark.createDataFrame([(1, "v1")], "k bigint, v string")
    assert found(lakes[JVM]) == rows
    assert shard(lakes[JVM]) == 3, "deleted rows reached the kernels"
    refused = {
        "read": lambda: found(lakes[RS]) == rows,
        "shards": lambda: shard(lakes[RS]) == 3,
        "append": lambda: append(lakes[RS]) is not None,
    }
    _check(refused, {NONE: 0, READ: 2, ALL: 3}[allowed], named)
    before = len(found(lakes[JVM]))
    assert append(lakes[JVM]) is not None
    assert len(found(lakes[JVM])) == before + 1


def _check(attempts: dict[str, Callable[[], bool]], works: int, named: str) -> None:
    """The first so many attempts do what they should, the others are refused by the feature's name."""
    for number, (name, attempt) in enumerate(attempts.items()):
        if number < works:
            assert attempt(), name
            continue
        with pytest.raises(
            LakeError, match=rf"^table made: lake.engine=delta-rs can't \w+ .*{named}"
        ) as told:
            attempt()
        assert "use lake.engine=delta-spark" in str(told.value), name
