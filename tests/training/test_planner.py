"""How many workers train, and what is refused because it would hang."""

from __future__ import annotations

import pytest

from pozytywka_spark.errors import UsageError
from pozytywka_spark.training.planner import Cluster, plan


@pytest.mark.parametrize(
    ("rows", "columns", "slots", "asked", "workers", "why"),
    [
        (20_000, 60, 2, None, 1, "one worker holds it"),
        (1_000_000, 60, 2, None, 2, "as many as there are slots"),
        (1_000_000, 60, 16, None, 6, "a worker for each 10 million cells"),
        (20_000, 60, 2, 2, 2, "training.num_workers asks for 2"),
        (0, 60, 2, None, 1, "one worker holds it"),
    ],
)
def test_plan(rows: int, columns: int, slots: int, asked: int | None, workers: int, why: str) -> None:
    found = plan(rows, columns, Cluster(slots, 1, False), asked)
    assert found.workers == workers
    assert why in found.reason


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
