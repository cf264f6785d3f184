"""How work is packed into tasks."""

from __future__ import annotations

from itertools import product

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


@given(st.lists(st.integers(1, 100), min_size=1, max_size=7), st.integers(1, 3))
def test_the_heaviest_task_is_at_most_a_third_heavier_than_need_be(loads: list[int], tasks: int) -> None:
    """Graham's bound, against every packing there is."""
    heaviest = max(map(sum, pack(loads, lambda load: load, tasks)))
    best = min(
        max(
            sum(load for load, place in zip(loads, places, strict=True) if place == task)
            for task in range(tasks)
        )
        for places in product(range(tasks), repeat=len(loads))
    )
    assert heaviest <= (4 / 3 - 1 / (3 * tasks)) * best + 1e-9
