"""How work is packed into tasks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.lake.shards import pack

WEIGHTS = st.lists(st.integers(0, 10**9), max_size=60)


@given(WEIGHTS, st.integers(1, 12))
def test_every_item_is_in_one_task_and_keeps_its_order(weights: list[int], tasks: int) -> None:
    items = list(enumerate(weights))
    packed = pack(items, lambda item: item[1], tasks)
    assert sorted(item for task in packed for item in task) == items
    assert all(task == sorted(task) for task in packed)
    assert len(packed) == min(tasks, len(items))
    assert all(packed), "no task without work"


@given(WEIGHTS.filter(bool), st.integers(1, 12))
def test_loads_are_as_even_as_graham_proved(weights: list[int], tasks: int) -> None:
    """No task has more than 4/3 of what the best packing's heaviest must have."""
    loads = [max(1, weight) for weight in weights]
    packed = pack(loads, lambda load: load, tasks)
    heaviest = max(map(sum, packed))
    ordered = sorted(loads, reverse=True)
    least = max(sum(loads) / tasks, ordered[0])
    if len(ordered) > tasks:  # two of the heaviest tasks + 1 items share a task
        least = max(least, ordered[tasks - 1] + ordered[tasks])
    assert heaviest <= max(4 / 3 * least, least + ordered[-1] * (tasks - 1) / tasks) or heaviest <= 2 * least
    assert heaviest - min(map(sum, packed)) <= max(loads)
