"""How many workers train, and what is refused because it would hang."""

from __future__ import annotations

import pytest

from pozytywka_spark.errors import UsageError
from pozytywka_spark.spark.resources import Cluster, Plan, beside_folds, plan, threads_side_by_side


@pytest.mark.parametrize(
    ("rows", "columns", "slots", "asked", "workers", "why"),
    [
        (20_000, 60, 2, None, 1, "threads holds it"),
        (1_000_000, 60, 2, None, 2, "as far as executors go"),
        (1_000_000, 60, 16, None, 6, "a worker for each 10 million cells"),
        (20_000, 60, 2, 2, 2, "training.num_workers asks for 2"),
        (0, 60, 2, None, 1, "threads holds it"),
    ],
)
def test_plan(rows: int, columns: int, slots: int, asked: int | None, workers: int, why: str) -> None:
    found = plan(rows, columns, Cluster(slots, 1, False), asked)
    assert found.workers == workers
    assert why in found.reason


@pytest.mark.parametrize(
    ("rows", "cluster", "asked", "workers", "threads"),
    [
        (1_000_000, Cluster(8, 1, False, local=True), None, 1, 8),  # one machine: all cores in one worker
        (1_000_000, Cluster(8, 1, False, local=True), 2, 2, 4),
        (5_000, Cluster(8, 1, False, local=True), None, 1, 1),  # too small to share
        (50_000, Cluster(8, 1, False, local=True), None, 1, 3),
        (100_000, Cluster(16, 1, False, executor_cores=4), None, 1, 4),  # a whole executor
        (1_000_000, Cluster(16, 1, False, executor_cores=4), None, 2, 4),  # 40 million cells each
        (10_000_000, Cluster(16, 1, False, executor_cores=4), None, 4, 4),  # as many as executors
        (1_000_000, Cluster(16, 1, False, executor_cores=4), 6, 6, 2),  # two on an executor
        (1_000_000, Cluster(8, 2, False), None, 3, 2),  # the cluster doesn't say: what tasks have
    ],
)
def test_threads(rows: int, cluster: Cluster, asked: int | None, workers: int, threads: int) -> None:
    found = plan(rows, 60, cluster, asked)
    assert (found.workers, found.threads) == (workers, threads)


@pytest.mark.parametrize(
    ("cluster", "asked", "told"),
    [
        (Cluster(2, 1, False), 3, r"training\.num_workers=3 would wait for ever"),
        (Cluster(8, 1, True), None, r"dynamicAllocation\.enabled=true would let training wait for ever"),
        (Cluster(2, 1, False, memory_bytes=100 << 20), None, "add executors or raise"),
    ],
)
def test_what_would_hang_or_not_fit_is_refused(cluster: Cluster, asked: int | None, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        plan(1_000_000, 60, cluster, asked)


def test_dynamic_allocation_hinders_only_what_waits_at_barriers() -> None:
    cluster = Cluster(8, 1, dynamic_allocation=True)
    assert not plan(20_000, 60, cluster).across
    for asked, in_memory in ((2, True), (None, False)):
        with pytest.raises(UsageError, match="dynamicAllocation"):
            plan(20_000, 60, cluster, asked, in_memory=in_memory)


@pytest.mark.parametrize(
    ("cluster", "asked", "in_memory", "workers", "across"),
    [
        (Cluster(8, 1, False, local=True), None, True, 1, False),
        (Cluster(8, 1, False, local=True), None, False, 1, True),  # one machine, but its rows stay Spark's
        (Cluster(8, 1, False, local=True), 2, True, 2, True),  # an explicit word, at any size
        (Cluster(8, 1, False), 1, True, 1, False),
        (Cluster(8, 1, False), 1, False, 1, True),
    ],
)
def test_trees_grow_across_executors_where_asked_to_or_where_a_task_holds_too_few_rows(
    cluster: Cluster, asked: int | None, in_memory: bool, workers: int, across: bool
) -> None:
    found = plan(20_000, 60, cluster, asked, in_memory=in_memory)
    assert (found.workers, found.across) == (workers, across)
    assert ("the rest a sample" in found.reason) is not in_memory


@pytest.mark.parametrize(
    ("fits", "threads", "cluster", "each"),
    [
        (3, 2, Cluster(2, 1, False, local=True), 1),
        (3, 8, Cluster(8, 1, False, local=True), 2),
        (3, 1, Cluster(8, 1, False, local=True), 1),  # not worth more by itself
        (1, 2, Cluster(2, 1, False, local=True), 2),
        (0, 2, Cluster(2, 1, False, local=True), 2),
        (3, 4, Cluster(16, 1, False, executor_cores=4), 4),  # on a cluster a task's cpus are taken anyway
    ],
)
def test_fits_beside_each_other_share_a_machine(fits: int, threads: int, cluster: Cluster, each: int) -> None:
    assert threads_side_by_side(fits, threads, cluster) == each


def test_a_final_fit_beside_the_folds_has_fewer_threads_too() -> None:
    machine, alone = Cluster(2, 1, False, local=True), Plan(1, 2, "one worker")
    assert beside_folds(alone, 3, machine) == Plan(1, 1, "one worker; 1 of them beside the folds' fits")
    assert beside_folds(alone, 1, machine) is alone
    across = Plan(2, 2, "two workers", across=True)
    assert beside_folds(across, 3, machine) is across
