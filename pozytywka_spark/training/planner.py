"""How many workers train, with how many threads: pure decisions from the data's size and the cluster's."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import SparkSession

from pozytywka_spark.errors import UsageError

# A second worker costs about a second at each of three barriers and an exchange of histograms a tree;
# it begins to pay at some ten million cells for each thread that the first one has.
CELLS_A_THREAD = 10_000_000
# Below so many cells a thread waits for the others longer than it works.
CELLS_TO_SHARE = 1_000_000
# A row's share of a worker: quantised matrix, pandas copy and gradients, in bytes a cell.
BYTES_A_CELL = 20
# Up to this size a whole training fits one task well, so that trials are better done side by side.
CELLS_A_TASK = 20_000_000


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
    """The choice and why. `threads` is the `spark.task.cpus` that training's tasks ask for."""

    workers: int
    threads: int
    reason: str


@dataclass(frozen=True)
class TrialPlan:
    """How tuning runs its trials and why: `parallel` at once in a task each, or one on all workers."""

    distributed: bool
    parallel: int
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


def plan(rows: int, columns: int, cluster: Cluster, asked: int | None = None) -> Plan:
    """Workers and threads for a training set of that size.

    `asked` (training.num_workers) overrules the choice. Raises `UsageError` for what would hang: more
    workers than slots, or dynamic allocation, under which a barrier of tasks may never be complete.
    """
    _refuse_what_hangs(cluster, asked)
    cells = rows * columns
    size = f"{rows:,} rows x {columns} columns on {cluster.slots} slots of {cluster.task_cpus} cpu"
    workers, threads, why = _choose(cells, cluster, asked)
    needed = cells * BYTES_A_CELL // workers
    if cluster.memory_bytes and needed > cluster.memory_bytes:
        raise UsageError(
            f"training would need about {needed >> 20:,} MB in each of {workers} workers and has "
            f"{cluster.memory_bytes >> 20:,} MB: add executors or raise spark.executor.pyspark.memory"
        )
    return Plan(workers, threads, f"{size}: {why}")


def plan_trials(
    rows: int, columns: int, cluster: Cluster, asked: int | None = None, *, shared: bool = True
) -> TrialPlan:
    """Whether trials run side by side or one by one; `asked` (tuning.parallel) caps those at once.

    `shared`: Spark writes where every task reads. Raises `UsageError` for dynamic allocation.
    """
    _refuse_what_hangs(cluster, None)
    cells = rows * columns
    held = cells * BYTES_A_CELL
    fits = not cluster.memory_bytes or held <= cluster.memory_bytes
    size = f"{rows:,} rows x {columns} columns"
    if not shared:
        return TrialPlan(True, 1, "the lake is in no folder that tasks can read: one trial at a time")
    if cells <= CELLS_A_TASK and fits:
        parallel = asked or cluster.slots
        return TrialPlan(
            False, parallel, f"{size} fit one task: {parallel} trials at once, a task each, no barriers"
        )
    return TrialPlan(True, 1, f"{size} are too many for a task: one trial at a time on all workers")


def _choose(cells: int, cluster: Cluster, asked: int | None) -> tuple[int, int, str]:
    if asked is not None:
        return asked, _threads_of(asked, cluster), f"training.num_workers asks for {asked}"
    threads = cluster.widest
    if cluster.local:
        # on a cluster a task's cpus are taken whether it uses them or not; here they are anybody's
        threads = min(threads, max(1, cells // CELLS_TO_SHARE))
        return 1, threads, f"one machine: one worker, threads {threads}; more workers would only add barriers"
    wanted = max(1, -(-cells // (CELLS_A_THREAD * threads)))
    workers = min(wanted, max(1, cluster.cores // threads))
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


def _refuse_what_hangs(cluster: Cluster, asked: int | None) -> None:
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


def _memory(spark: SparkSession) -> int | None:
    """Bytes a Python worker may take, where the cluster limits them."""
    stated = spark.sparkContext.getConf().get("spark.executor.pyspark.memory", "") or ""
    units = {"k": 10, "m": 20, "g": 30, "t": 40}
    if not stated or stated[-1].lower() not in units:
        return None
    return int(stated[:-1]) << units[stated[-1].lower()]
