"""Workers and threads for training: pure decisions from the data's size and the cluster's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pozytywka_spark.errors import UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# A second worker costs about a second at each of three barriers and an exchange of histograms a tree;
# it begins to pay at some ten million cells for each thread that the first one has.
CELLS_A_THREAD = 10_000_000
# Below so many cells a thread waits for the others longer than it works.
CELLS_TO_SHARE = 1_000_000
# A row's share of a worker: quantised matrix, pandas copy and gradients, in bytes a cell.
BYTES_A_CELL = 20


@dataclass(frozen=True)
class Cluster:
    """What a session can run at once. `executor_cores` is None where the cluster doesn't say."""

    slots: int
    task_cpus: int
    dynamic_allocation: bool
    memory_bytes: int | None = None
    executor_cores: int | None = None
    local: bool = False

    @property
    def cores(self) -> int:
        """Cores that tasks may use in all."""
        return self.slots * self.task_cpus

    @property
    def widest(self) -> int:
        """The most threads one worker can have."""
        if self.local:
            return self.cores
        return max(self.task_cpus, min(self.executor_cores or self.task_cpus, self.cores))


@dataclass(frozen=True)
class Plan:
    """The choice and why. `threads` is the `spark.task.cpus` that training's tasks ask for.

    `across`: trees grow from Spark's frames, on tasks that wait for each other, even if it is one; else from
    the training table, in one task or in this process.
    """

    workers: int
    threads: int
    reason: str
    across: bool = False


@dataclass(frozen=True)
class TrialPlan:
    """How tuning runs its trials and why: `parallel` at once, each with `threads`."""

    parallel: int
    threads: int
    reason: str


def describe_cluster(spark: SparkSession) -> Cluster:
    """What the running session has."""
    context = spark.sparkContext
    conf = context.getConf()
    task_cpus = int(conf.get("spark.task.cpus", "1") or 1)
    dynamic = (conf.get("spark.dynamicAllocation.enabled", "false") or "false").lower() == "true"
    stated = conf.get("spark.executor.cores", "") or ""
    return Cluster(
        slots=max(1, context.defaultParallelism // task_cpus),
        task_cpus=task_cpus,
        dynamic_allocation=dynamic,
        memory_bytes=_memory(spark),
        executor_cores=int(stated) if stated else None,
        local=(context.master or "").partition("[")[0] == "local",
    )


def plan(
    rows: int, columns: int, cluster: Cluster, asked: int | None = None, *, in_memory: bool = True
) -> Plan:
    """Workers and threads for a training set of that size.

    `asked` (training.num_workers) overrules the choice. `in_memory`: all rows are in the training table
    (training.rows_in_memory). Raises `UsageError` for what would hang: more
    workers than slots, or dynamic allocation, under which a barrier of tasks may never be complete.
    """
    cells = rows * columns
    size = f"{rows:,} rows x {columns} columns on {cluster.slots} slots of {cluster.task_cpus} cpu"
    workers, threads, why = _choose(cells, cluster, asked)
    across = workers > 1 or not in_memory
    if across:
        _refuse_what_hangs(cluster, workers)
    needed = cells * BYTES_A_CELL // workers
    if cluster.memory_bytes and needed > cluster.memory_bytes:
        raise UsageError(
            f"training would need about {needed >> 20:,} MB in each of {workers} workers and has "
            f"{cluster.memory_bytes >> 20:,} MB: add executors or raise spark.executor.pyspark.memory"
            + ("" if across else ", or lower training.rows_in_memory")
        )
    if not in_memory:
        why += "; too many rows for a task's memory, so the trees read Spark's and the rest a sample"
    return Plan(workers, threads, f"{size}: {why}", across)


def plan_trials(threads: int, cluster: Cluster, asked: int | None = None) -> TrialPlan:
    """How many trials run side by side, each with the `threads` that one fit is worth.

    `asked` (tuning.parallel) overrules the choice.
    """
    parallel = asked or max(1, cluster.cores // threads)
    each = "a thread" if threads == 1 else f"{threads} threads"
    return TrialPlan(parallel, threads, f"{parallel} trials at once, {each} each")


def threads_side_by_side(fits: int, threads: int, cluster: Cluster) -> int:
    """Threads of each of so many fits that are there to be done, each worth `threads` by itself.

    On one machine they are done sooner beside each other with fewer threads than one after another with
    more: threads of one fit wait for each other at each level of each tree.
    """
    return max(1, min(threads, cluster.cores // max(1, fits))) if cluster.local else threads


def beside_folds(plan: Plan, folds: int, cluster: Cluster) -> Plan:
    """The plan of a final fit on one machine that goes beside so many folds' fits: each has fewer threads.

    Nine million cells: two threads take 5.0 s by themselves, one 4.3, two fits of one thread each 7.7.
    """
    each = plan.threads if plan.across else threads_side_by_side(folds, plan.threads, cluster)
    if each == plan.threads:
        return plan
    return replace(plan, threads=each, reason=f"{plan.reason}; {each} of them beside the folds' fits")


def _choose(cells: int, cluster: Cluster, asked: int | None) -> tuple[int, int, str]:
    if asked is not None:
        return asked, _threads_of(asked, cluster), f"training.num_workers asks for {asked}"
    threads = cluster.widest
    if cluster.local:
        # on a cluster a task's cpus are taken whether it uses them or not; here they are anybody's
        threads = min(threads, max(1, cells // CELLS_TO_SHARE))
        return 1, threads, f"one machine: one worker, threads {threads}; more workers would only add barriers"
    workers_wanted = max(1, -(-cells // (CELLS_A_THREAD * threads)))
    workers = min(workers_wanted, max(1, cluster.cores // threads))
    if workers == 1:
        return 1, threads, f"one worker of {threads} threads holds it, more would only add barriers"
    millions = CELLS_A_THREAD * threads // 1_000_000
    return workers, threads, f"a worker for each {millions} million cells, as far as executors go"


def _threads_of(workers: int, cluster: Cluster) -> int:
    """Threads of each when so many workers share the cores; never less than a task's."""
    if cluster.local:
        return max(cluster.task_cpus, cluster.cores // workers)
    executors = max(1, cluster.cores // cluster.widest)
    together = -(-workers // executors)
    return max(cluster.task_cpus, cluster.widest // together)


def _refuse_what_hangs(cluster: Cluster, workers: int) -> None:
    if cluster.dynamic_allocation:
        raise UsageError(
            "spark.dynamicAllocation.enabled=true would let training wait for ever at a barrier: "
            "set spark.conf.spark.dynamicAllocation.enabled=false for the train job"
        )
    if workers > cluster.slots:
        raise UsageError(
            f"training.num_workers={workers} would wait for ever: "
            f"the session runs {cluster.slots} tasks at once; "
            f"ask for at most {cluster.slots} or add executors"
        )


def _memory(spark: SparkSession) -> int | None:
    """Bytes a Python worker may take, where the cluster limits them."""
    stated = spark.sparkContext.getConf().get("spark.executor.pyspark.memory", "") or ""
    units = {"k": 10, "m": 20, "g": 30, "t": 40}
    if not stated or stated[-1].lower() not in units:
        return None
    return int(stated[:-1]) << units[stated[-1].lower()]
