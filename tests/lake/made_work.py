"""Work of tasks that is small, or large enough for Spark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pozytywka_spark.lake.run_tasks import INLINE_BYTES
from pozytywka_spark.lake.tasks import Done, Tasks

SMALL, LARGE = 1, INLINE_BYTES + 1


def run_work(tasks: Tasks, items: Sequence[Any], work: Any, weight: int) -> Done:
    return tasks.run(items, work, weight=lambda _: weight, named=lambda item: f"item {item}")
