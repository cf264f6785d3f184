"""Guard 1 takes the past's months from the build where its second pass would be given the same, and finds
whatever leaks all the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.build.items import REAL, MonthShard, Source
from pozytywka_spark.features.build.parcels import MEASURED
from pozytywka_spark.features.build.purchases import purchases_of
from pozytywka_spark.features.build.second_pass import AS_BUILT, MeasureMonths
from pozytywka_spark.features.guards.build_under_guard import GuardedBuild
from pozytywka_spark.features.guards.compare_slices import Maker
from pozytywka_spark.features.guards.rebuild import Bought, Measure, measure_months
from pozytywka_spark.features.guards.worlds import worlds_of
from pozytywka_spark.lake.tasks import TaskFiles, Work
from pozytywka_spark.months import next_month
from tests.features.guards.made_builds import build_with, dimensions_of, perturbation
from tests.features.guards.test_leaks import named_in
from tests.features.guards.test_leaky_passes import EVENTS, PLAN, real_pass
from tests.in_memory import MemoryTasks


def made_by(measure: Measure) -> GuardedBuild:
    return build_with(EVENTS, measure, Maker, PLAN, slots=1, tables=dimensions_of)


def months_measured(build: GuardedBuild) -> dict[str, set[date]]:
    """By world, of the guard's own parcels."""
    assert isinstance(build.tasks, MemoryTasks)
    found: dict[str, set[date]] = defaultdict(set)
    for parcel in build.tasks.files.parcels:
        if parcel.kind == MEASURED and parcel.key[0] != REAL:
            found[str(parcel.key[0])] |= set(build.tasks.files.read([parcel]).get_column("month"))
    return found


@pytest.mark.thorough
def test_of_the_past_only_the_last_month_is_measured_again() -> None:
    build = made_by(measure_months)
    said = perturbation(build).checked
    measured = months_measured(build)
    for world in worlds_of(build.months, build.latest, seed=0):
        if world.name in measured:
            past = {month for month in measured[world.name] if world.knows(month)}
            assert past == {world.month}
    assert set(measured) == {"2022-02 deleted", "2022-02 scrambled", "2022-03 scrambled"}
    assert said.startswith("all 15 users, future after 2022-02 deleted and scrambled, after 2022-03")


@dataclass(frozen=True)
class Unsure:
    """The second pass, which says of some months only that they are as built."""

    work: MeasureMonths
    months: frozenset[str]

    def __call__(self, items: Sequence[MonthShard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        for facts in self.work(items, files):
            left = {} if facts["month"] in self.months else {AS_BUILT: facts.get(AS_BUILT, [])}
            yield {name: value for name, value in facts.items() if name != AS_BUILT} | left


def unsure(build: GuardedBuild, bought: Bought, slices: int) -> Work[MonthShard]:
    return Unsure(real_pass(build, bought, slices), frozenset({"2021-12-01"}))


@pytest.mark.thorough
def test_all_is_measured_again_by_a_pass_that_is_not_sure() -> None:
    build = made_by(measure_months)
    assert perturbation(build, measure=unsure).checked == perturbation(build).checked
    assert months_measured(build)["2022-02 deleted"] >= {date(2021, 11, 1), date(2021, 12, 1)}


@dataclass(frozen=True)
class WithPurchases:
    """A task's files; to each measured row of someone who ever buys, by what the world knows, a skip is
    added."""

    files: TaskFiles
    bought: Mapping[str, Sequence[Source]]

    def stage(self, kind: str, rows: pl.DataFrame, key: tuple[str | int, ...] = ()) -> None:
        if kind == MEASURED:
            buyers = purchases_of(tuple(self.bought[str(key[0])]), self.files).get_column("user_id")
            rows = rows.with_columns(pl.col("skips") + pl.col("user_id").is_in(buyers.implode()))
        self.files.stage(kind, rows, key)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.files, name)


@dataclass(frozen=True)
class CountsPurchases:
    """The second pass: whoever is going to buy has one skip more; of who has bought it knows honestly."""

    work: MeasureMonths

    def __call__(self, items: Sequence[MonthShard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        yield from self.work(items, WithPurchases(files, self.work.bought))  # type: ignore[arg-type]


def counts_purchases(build: GuardedBuild, bought: Bought, slices: int) -> Work[MonthShard]:
    return CountsPurchases(real_pass(build, bought, slices))


@dataclass(frozen=True)
class SeesTheMonthAfterNext:
    """The second pass, which adds the events of the month after next to each month's."""

    work: MeasureMonths

    def __call__(self, items: Sequence[MonthShard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        at = {(world, one.month, one.bucket): one.events for one in items for world in one.worlds}
        for shard in items:
            later = next_month(next_month(shard.month))
            for world in shard.worlds:
                events = (*shard.events, *at.get((world, later, shard.bucket), ()))
                yield from self.work([replace(shard, worlds=(world,), events=events)], files)


def month_after_next(build: GuardedBuild, bought: Bought, slices: int) -> Work[MonthShard]:
    return SeesTheMonthAfterNext(real_pass(build, bought, slices))


@pytest.mark.thorough
def test_a_leak_of_the_month_after_next() -> None:
    """It begins two months before the data's end, and is seen from the last month before a cut-off alone."""
    build = made_by(month_after_next)
    with pytest.raises(GuardError) as caught:
        perturbation(build, measure=month_after_next)
    assert {"number_of_skips", "number_of_likes"} <= named_in(str(caught.value))


@pytest.mark.thorough
def test_a_leak_of_purchases_beside_an_honest_list_of_buyers() -> None:
    build = made_by(counts_purchases)
    with pytest.raises(GuardError) as caught:
        perturbation(build, measure=counts_purchases)
    assert named_in(str(caught.value)) == {"number_of_skips"}
