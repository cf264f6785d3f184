"""Shares and slots: nobody moves but from control into treatment, and no two experiments share a bucket."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_spark.errors import UsageError
from pozytywka_spark.experiments.assignment.allocation import (
    CONTROL,
    Range,
    free_ranges,
    grow,
    layer_slot,
    start,
)
from pozytywka_spark.experiments.assignment.hashing import BUCKETS

SHARES = st.lists(st.integers(1, 2400), min_size=1, max_size=4)


def test_the_first_allocation_lays_treatments_side_by_side() -> None:
    found = start({"fewer": 20, "more": 5.25})
    assert found.ranges == (Range("fewer", 0, 2000), Range("more", 2000, 2525))
    assert found.shares == {"fewer": 0.2, "more": 0.0525, CONTROL: 0.7475}
    assert [found.group_of(bucket) for bucket in (0, 1999, 2000, 2524, 2525, 9999)] == [
        "fewer", "fewer", "more", "more", CONTROL, CONTROL,
    ]  # fmt: skip


@pytest.mark.thorough
@settings(max_examples=40, deadline=None)
@given(SHARES, st.data())
def test_growth_moves_control_into_treatment_and_nobody_else(sizes: list[int], data: st.DataObject) -> None:
    names = [f"t{place}" for place in range(len(sizes))]
    before = start({name: size / 100 for name, size in zip(names, sizes, strict=True)})
    grown_sizes = [size + data.draw(st.integers(0, (9999 - sum(sizes)) // len(sizes))) for size in sizes]
    after = grow(before, {name: size / 100 for name, size in zip(names, grown_sizes, strict=True)})
    assert [after.sizes[name] for name in names] == grown_sizes
    owners = [(before.group_of(bucket), after.group_of(bucket)) for bucket in range(BUCKETS)]
    assert all(old in (new, CONTROL) for old, new in owners)
    assert sum(new == CONTROL for _, new in owners) == after.sizes[CONTROL] > 0
    assert grow(after, {}) == after


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        (
            {"treatment": 10},
            "the share of treatment can't shrink from 20 to 10: users keep their group for life",
        ),
        ({"treatment": 100}, "share 100 of treatment: expected a percentage above 0 and below 100"),
        ({"treatment": 20.001}, "in steps of 0.01"),
        ({"treatment": 60, "more": 40}, "treatments take 100% of users: leave some for control"),
        ({"treatment": 70, "more": 60}, "treatments take 130% of users"),
        ({"control": 50}, "control gets what the treatments leave"),
    ],
)
def test_shares_that_cannot_be(shares: dict[str, float], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        grow(start({"treatment": 20}), shares)


def test_an_experiment_needs_a_treatment() -> None:
    with pytest.raises(UsageError, match="needs a treatment: give --share 20"):
        start({})


@settings(deadline=None)
@given(st.lists(st.integers(100, 6000), min_size=1, max_size=6))
def test_slots_of_a_layer_never_overlap(sizes: list[int]) -> None:
    taken: dict[str, tuple[int, int]] = {}
    for place, size in enumerate(sizes):
        widest = max((high - low for low, high in free_ranges(list(taken.values()))), default=0)
        if widest >= size:
            taken[f"e{place}"] = layer_slot("prices", taken, size / 100)
            continue
        with pytest.raises(UsageError, match="layer prices has no room"):
            layer_slot("prices", taken, size / 100)
    held = sorted(taken.values())
    assert all(high <= low for (_, high), (low, _) in pairwise(held))
    assert sum(high - low for low, high in free_ranges(held)) == BUCKETS - sum(
        high - low for low, high in held
    )


def test_a_full_layer_says_who_holds_it() -> None:
    taken = {"adverts": (0, 6000), "prices": (6500, 9000)}
    with pytest.raises(UsageError, match=r"held: adverts 60%, prices 25%; widest gap 10%"):
        layer_slot("money", taken, 20)
    assert layer_slot("money", taken, 5) == (6000, 6500)
    assert layer_slot("money", {}, 100) == (0, BUCKETS)
