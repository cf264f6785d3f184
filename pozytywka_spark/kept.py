"""Frames that are stored once and read like tables: by a plan of one node, whatever it took to make them.

`DataFrame.persist` alone stores the rows, but every frame derived from the stored one carries the whole
plan that made it: each join, union and select analyses it again, and a frame that meets itself in a join
is planned twice. Ten such steps, and a plan for a few rows takes half a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pyspark import StorageLevel
from pyspark.sql import DataFrame

from pozytywka_spark.session_conf import conf_within

Keep = Callable[[DataFrame], DataFrame]

_ENCODED = "spark.sql.inMemoryColumnarStorage.compressed"
_STORED = "InMemoryRelation"


@contextmanager
def keeping(
    level: StorageLevel = StorageLevel.MEMORY_AND_DISK_DESER, *, encoded: bool = True, now: bool = False
) -> Iterator[Keep]:
    """A function that stores a frame when it is first read, or `now`, until the end of the block.

    It gives back the frame that reads what is stored; rows lost with an executor are made again.
    `encoded`: let Spark look for the best encoding of each column, which saves room and costs time, unless
    the session is set not to.
    """
    stored: list[DataFrame] = []

    def keep(df: DataFrame) -> DataFrame:
        with conf_within(df.sparkSession, {} if encoded else {_ENCODED: "false"}):
            persisted = df.persist(level)
        stored.append(persisted)
        kept = read_stored(persisted)
        if now:
            kept.count()
        return kept

    try:
        yield keep
    finally:
        for df in reversed(stored):
            df.unpersist()


def read_stored(persisted: DataFrame) -> DataFrame:
    """The same rows and columns, read from where they are stored. The frame itself if Spark can't tell where.

    Spark offers this to itself only, so it is asked through Py4J; over Spark Connect the plan stays long.
    """
    if not hasattr(persisted, "_jdf"):
        return persisted
    spark = persisted.sparkSession
    plan = persisted._jdf.queryExecution().withCachedData()
    if plan.nodeName() != _STORED:
        return persisted
    assert spark._jvm is not None
    rows = spark._jvm.org.apache.spark.sql.classic.Dataset.ofRows(spark._jsparkSession, plan)
    return DataFrame(rows, spark)
