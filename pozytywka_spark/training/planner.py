"""How many workers train: a pure decision from the size of the data and what the cluster has."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import SparkSession

from pozytywka_spark.errors import UsageError

# A second worker costs about a second at each of three barriers and an exchange of histograms a tree;
# on two cores it began to pay at some ten million cells.
CELLS_A_WORKER = 10_000_000
# A row's share of a worker: quantised matrix, pandas copy and gradients, in bytes a cell.
BYTES_A_CELL = 20


@dataclass(frozen=True)
class Cluster:
    """What a session can run at once."""

    slots: int
    task_cpus: int
    dynamic_allocation: bool
    memory_bytes: int | None = None


@dataclass(frozen=True)
class Plan:
    """The choice and why."""

    workers: int
    threads: int
    reason: str


def describe_cluster(spark: SparkSession) -> Cluster:
    """What the running session has."""
    context = spark.sparkContext
    conf = context.getConf()
    task_cpus = int(conf.get("spark.task.cpus", "1") or 1)
    dynamic = (conf.get("spark.dynamicAllocation.enabled", "false") or "false").lower() == "true"
    return Cluster(max(1, context.defaultParallelism // task_cpus), task_cpus, dynamic, _memory(spark))


def plan(rows: int, columns: int, cluster: Cluster, asked: int | None = None) -> Plan:
    """Workers and threads for a training set of that size.

    `asked` (training.num_workers) overrules the choice. Raises `UsageError` for what would hang: more
    workers than slots, or dynamic allocation, under which a barrier of tasks may never be complete.
    """
    if cluster.dynamic_allocation:
        raise UsageError(
            "spark.dynamicAllocation.enabled=true would let training wait for ever at a barrier: "
            "set spark.conf.spark.dynamicAllocation.enabled=false for the train job"
        )
    if asked is not None and asked > cluster.slots:
        raise UsageError(
            f"training.num_workers={asked} would wait for ever: "
            f"the session runs {cluster.slots} tasks at once; "
            f"ask for at most {cluster.slots} or add executors"
        )
    cells = rows * columns
    size = f"{rows:,} rows x {columns} columns on {cluster.slots} slots of {cluster.task_cpus} cpu"
    if asked is not None:
        return Plan(asked, cluster.task_cpus, f"{size}: training.num_workers asks for {asked}")
    wanted = max(1, -(-cells // CELLS_A_WORKER))
    reason = "one worker holds it, more would only add barriers"
    if wanted > 1:
        reason = f"a worker for each {CELLS_A_WORKER // 1_000_000} million cells, as many as there are slots"
    workers = min(wanted, cluster.slots)
    needed = cells * BYTES_A_CELL // workers
    if cluster.memory_bytes and needed > cluster.memory_bytes:
        raise UsageError(
            f"training would need about {needed >> 20:,} MB in each of {workers} workers and has "
            f"{cluster.memory_bytes >> 20:,} MB: add executors or raise spark.executor.memoryOverhead"
        )
    return Plan(workers, cluster.task_cpus, f"{size}: {reason}")


def _memory(spark: SparkSession) -> int | None:
    """Bytes a Python worker may take, where the cluster limits them."""
    stated = spark.sparkContext.getConf().get("spark.executor.pyspark.memory", "") or ""
    units = {"k": 10, "m": 20, "g": 30, "t": 40}
    if not stated or stated[-1].lower() not in units:
        return None
    return int(stated[:-1]) << units[stated[-1].lower()]
