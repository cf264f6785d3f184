"""Buckets by group, and how shares grow: pure, without Spark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pozytywka_spark.errors import UsageError
from pozytywka_spark.experiments.assignment.hashing import BUCKETS

CONTROL = "control"


@dataclass(frozen=True)
class Range:
    """Buckets [low, high) of a treatment."""

    group: str
    low: int
    high: int


@dataclass(frozen=True)
class Allocation:
    """The treatments' ranges in the order in which they were given; every other bucket is control's."""

    ranges: tuple[Range, ...]

    @property
    def treatments(self) -> tuple[str, ...]:
        """Groups but control, in order."""
        return tuple(dict.fromkeys(taken.group for taken in self.ranges))

    @property
    def sizes(self) -> dict[str, int]:
        """Buckets of each group, control last."""
        sizes = dict.fromkeys(self.treatments, 0)
        for taken in self.ranges:
            sizes[taken.group] += taken.high - taken.low
        return sizes | {CONTROL: BUCKETS - sum(sizes.values())}

    @property
    def shares(self) -> dict[str, float]:
        """Expected share of users of each group, control last."""
        return {group: size / BUCKETS for group, size in self.sizes.items()}

    def group_of(self, bucket: int) -> str:
        """The group of a bucket."""
        return next((taken.group for taken in self.ranges if taken.low <= bucket < taken.high), CONTROL)

    def group(self, bucket: pl.Expr) -> pl.Expr:
        """The group of each bucket."""
        group = pl.lit(CONTROL)
        for taken in self.ranges:
            inside = (bucket >= taken.low) & (bucket < taken.high)
            group = pl.when(inside).then(pl.lit(taken.group)).otherwise(group)
        return group


def start(shares: Mapping[str, float]) -> Allocation:
    """The first allocation: treatments side by side from bucket 0. `shares` in percent, without control."""
    return grow(Allocation(()), shares)


def grow(allocation: Allocation, shares: Mapping[str, float]) -> Allocation:
    """Treatments' shares (percent) raised to `shares`; what they gain, control's lowest buckets give.

    No bucket leaves a treatment. A treatment that `shares` doesn't name stays as it is.
    Raises `UsageError` if a share shrinks, is no whole number of buckets, or nothing is left for control.
    """
    ranges = list(allocation.ranges)
    sizes = allocation.sizes
    for group, percent in shares.items():
        target, current = _buckets(group, percent), sizes.get(group, 0)
        if target < current:
            raise UsageError(
                f"the share of {group} can't shrink from {current / 100:g} to {percent:g}: "
                "users keep their group for life; end the experiment and start another"
            )
        ranges += _take(Allocation(tuple(ranges)), group, target - current)
    grown = Allocation(tuple(ranges))
    if not grown.treatments:
        raise UsageError("an experiment needs a treatment: give --share 20 or --group name=20")
    if grown.sizes[CONTROL] <= 0:
        raise UsageError(
            f"treatments take {100 - grown.sizes[CONTROL] / 100:g}% of users: leave some for control"
        )
    return grown


def _buckets(group: str, percent: float) -> int:
    if group == CONTROL:
        raise UsageError("control gets what the treatments leave: give the treatments' shares only")
    count = round(percent * BUCKETS / 100)
    if not 0 < percent < 100 or abs(count - percent * BUCKETS / 100) > 1e-6:
        raise UsageError(
            f"share {percent:g} of {group}: expected a percentage above 0 and below 100, in steps of 0.01"
        )
    return count


def _take(allocation: Allocation, group: str, count: int) -> list[Range]:
    """`count` of control's buckets, the lowest first, as ranges of `group`."""
    taken: list[Range] = []
    for low, high in free_ranges([(each.low, each.high) for each in allocation.ranges]):
        if count <= 0:
            break
        end = min(high, low + count)
        taken.append(Range(group, low, end))
        count -= end - low
    return taken if count <= 0 else [*taken, Range(group, BUCKETS, BUCKETS + count)]


def free_ranges(taken: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What the ranges `taken` leave of [0, 10,000), in order."""
    free, low = [], 0
    for start_, end in sorted(taken):
        if start_ > low:
            free.append((low, start_))
        low = max(low, end)
    return [*free, (low, BUCKETS)] if low < BUCKETS else free


def layer_slot(layer: str, taken: Mapping[str, tuple[int, int]], traffic: float) -> tuple[int, int]:
    """A range of `traffic` percent of a layer's buckets that no other experiment holds, the lowest there is.

    Raises `UsageError` naming who holds what if no such range is free.
    """
    needed = _buckets("traffic", traffic) if traffic < 100 else BUCKETS
    for low, high in free_ranges(list(taken.values())):
        if high - low >= needed:
            return low, low + needed
    shares = ", ".join(f"{name} {(high - low) / 100:g}%" for name, (low, high) in sorted(taken.items()))
    widest = max((high - low for low, high in free_ranges(list(taken.values()))), default=0)
    raise UsageError(
        f"layer {layer} has no room for {traffic:g}% of users "
        f"(held: {shares}; widest gap {widest / 100:g}%): "
        "lower --traffic, end an experiment of the layer, or use another layer"
    )
