"""The features' plans in Sail, a Rust engine that speaks Spark Connect: a process of its own, for a Python
process is either a client of Connect or of a JVM, never both.

A measurement only. Sail 0.7 counts weekdays from another day, so its `weekend_share` isn't Spark's.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.features.analysts import ANALYSTS
from pozytywka_spark.features.catalogue import CATALOGUE
from pozytywka_spark.lake.api import Lake
from tests.bench.features_work import compute, seconds


def compute_in_sail(lake: Lake, home: Path, runs: int) -> tuple[dict[str, list[float]], float]:
    """Seconds of the 25 and of the catalogue, and the process's peak memory in GB."""
    tables = {table.name: [lake.path(table.name), lake.version(table.name)] for table in schemas.SILVER}
    ordered = json.dumps({"tables": tables, "folder": str(home), "runs": runs})
    command = [sys.executable, "-m", "tests.bench.in_sail", ordered]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    return told["seconds"], told["peak"]


def main(tables: Mapping[str, Sequence[object]], folder: str, runs: int) -> None:
    """What the process does: compute in a server of its own, tell the seconds of each run."""
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    host, port = server.listening_address
    spark = SparkSession.Builder().remote(f"sc://{host}:{port}").getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")

    def kept(name: str, df: DataFrame) -> DataFrame:
        address = f"{folder}/kept_{name}"  # Sail has no cache
        df.write.mode("overwrite").parquet(address)
        return spark.read.parquet(address)

    def read(name: str) -> DataFrame:
        path, version = tables[name]
        return spark.read.format("delta").option("versionAsOf", version).load(path)

    silver = {table.name: table.conform(read(table.name)) for table in schemas.SILVER}
    taken: dict[str, list[float]] = {"sail 25": [], "sail catalogue": []}
    for _ in range(runs):
        for name, features in zip(taken, (ANALYSTS, CATALOGUE), strict=True):
            taken[name].append(
                seconds(lambda chosen=features: compute(silver, chosen, Path(folder) / "sail", kept))
            )
    spark.stop()  # before the server, which would wait for it
    server.stop()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({"seconds": taken, "peak": peak}))


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
