"""The same build on another engine that speaks Spark Connect: a process beside the job computes, the lake
commits.

The process gets the versions of the tables to read and a folder, and leaves each result there as plain
Parquet. It writes no table: engines that speak the protocol differ in what their writers honour. A process of
its own, because a Python process is either a client of Connect or of a JVM, never both.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.errors import PozytywkaError, UsageError
from pozytywka_spark.features.activity import first_purchases
from pozytywka_spark.features.catalogue import CATALOGUE
from pozytywka_spark.features.compute import FIRSTS, Months, write_base, write_features
from pozytywka_spark.features.recipe import dimensions_of
from pozytywka_spark.schemas import Table

EMBEDDED = "sail"
STATE = (*FIRSTS, "track_plays", "user_month")


@dataclass(frozen=True)
class Order:
    """What the process is asked: where tables lie and at which versions, the months, where results go."""

    remote: str
    tables: Mapping[str, tuple[str, int]]
    months: Sequence[str]
    whole: bool
    folder: str


@dataclass(frozen=True)
class Handed:
    """Tables as the other engine sees them: what the lake had before, and what this build has written."""

    spark: SparkSession
    order: Order
    months: Months

    def read(self, name: str) -> DataFrame:
        """The table with the build's months as they are now."""
        new = self.spark.read.parquet(f"{self.order.folder}/{name}")
        if self.months.whole:
            return new
        before = delta(self.spark, self.order, name)
        return before.where(~F.col("month").isin(list(self.months.chosen))).unionByName(new)

    def kept(self, name: str, df: DataFrame) -> DataFrame:
        """A small frame that several plans read, computed once: not every engine has a cache."""
        address = f"{self.order.folder}/kept_{name}"
        df.write.mode("overwrite").parquet(address)
        return self.spark.read.parquet(address)

    def write(self, df: DataFrame, table: Table) -> None:
        """Plain files, replaced if they are there."""
        table.conform(df).write.mode("overwrite").parquet(f"{self.order.folder}/{table.name}")


def run_elsewhere(order: Order) -> None:
    """Start the process and wait for it. Raises `UsageError` if the engine isn't installed, `PozytywkaError`
    if it fails."""
    command = [sys.executable, "-m", __name__, json.dumps(asdict(order))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit {done.returncode}"]
    if "No module named 'pysail'" in lines[-1]:
        raise UsageError("engine.remote=sail needs pip install '.[sail]': do so, or unset engine.remote")
    raise PozytywkaError(
        f"engine.remote={order.remote} failed: {lines[-1][:300]}; unset engine.remote to compute in Spark"
    )


def delta(spark: SparkSession, order: Order, name: str) -> DataFrame:
    """A version of a table."""
    path, version = order.tables[name]
    return spark.read.format("delta").option("versionAsOf", version).load(path)


def fulfil(order: Order) -> None:
    """Compute and hand over; what the process does."""
    with connected(order.remote) as spark:
        silver = {table.name: table.conform(delta(spark, order, table.name)) for table in schemas.SILVER}
        months = Months([date.fromisoformat(month) for month in order.months], order.whole)
        handed = Handed(spark, order, months)
        purchases = handed.kept("purchases", first_purchases(silver["events"]))
        dimensions = dimensions_of(silver).map(handed.kept)
        write_base(handed, silver["events"], purchases, dimensions, months, CATALOGUE)
        write_features(handed, months, CATALOGUE)


@contextmanager
def connected(remote: str) -> Iterator[SparkSession]:
    """A Connect session with the engine, which is started and stopped here if it is the job's own."""
    server = None
    if remote == EMBEDDED:
        from pysail.spark import SparkConnectServer  # type: ignore[import-untyped]  # it has no stubs

        server = SparkConnectServer(ip="127.0.0.1", port=0)
        server.start(background=True)
        host, port = server.listening_address
        remote = f"sc://{host}:{port}"
    spark = SparkSession.Builder().remote(remote).getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    try:
        yield spark
    finally:
        spark.stop()  # before the server, which would wait for it
        if server is not None:
            server.stop()


if __name__ == "__main__":
    fulfil(Order(**json.loads(sys.argv[1])))
