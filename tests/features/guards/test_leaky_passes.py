"""Guard 1 finds a leak in either pass of the build, whichever way the future comes in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.build.items import MonthShard
from pozytywka_spark.features.build.lookups import Lookups
from pozytywka_spark.features.build.plan import plan_of
from pozytywka_spark.features.build.second_pass import MeasureMonths
from pozytywka_spark.features.build.user_kernel import SliceRows
from pozytywka_spark.features.declared.catalogue import CATALOGUE
from pozytywka_spark.features.guards.build_under_guard import GuardedBuild
from pozytywka_spark.features.guards.compare_slices import Maker
from pozytywka_spark.features.guards.rebuild import Bought, measure_months
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles, Work
from pozytywka_spark.months import HOUR_MICROS, cut_off_micros
from tests.features.guards.made_builds import build_with, dimensions_of, perturbation, silver_events
from tests.features.guards.test_leaks import named_in

NAMES = (
    "number_of_skips",
    "number_of_likes",
    "number_of_liked_tracks_listened",
    "number_of_different_artists",
    "total_tracks_duration_ms",
    "month_of_year",
    "average_prior_plays",
)
EVENTS = silver_events().filter(pl.col("event_month") >= date(2021, 11, 1))
PLAN = plan_of([feature for feature in CATALOGUE if feature.name in NAMES])


@dataclass(frozen=True)
class Meddled:
    """A task's files, with a hand in what is read of events and of purchases."""

    files: TaskFiles
    events: pl.Expr | None = None
    purchased_at: pl.Expr | None = None

    def read(
        self,
        files: Sequence[DataFile | Parcel],
        columns: Sequence[str] | None = None,
        coded: Sequence[str] = (),
    ) -> pl.DataFrame:
        rows = self.files.read(files, columns, coded)
        return rows if self.events is None else rows.filter(self.events)

    def shared(
        self, files: Sequence[DataFile | Parcel], columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        rows = self.files.shared(files, columns)
        if self.purchased_at is None or "purchased_at" not in rows.columns:
            return rows
        return rows.with_columns(purchased_at=self.purchased_at)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.files, name)


@dataclass(frozen=True)
class SeesBeyond:
    """The second pass, whose months end so many microseconds late: 0 lets in what lies on the cut-off."""

    work: MeasureMonths
    beyond: int

    def __call__(self, items: Sequence[MonthShard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        at = {(world, one.month, one.bucket): one.events for one in items for world in one.worlds}
        for shard in items:
            end = cut_off_micros(shard.month)
            following = date.fromordinal(shard.month.toordinal() + 31).replace(day=1)
            seen = pl.col("event_time").dt.epoch("us") <= end + self.beyond
            for world in shard.worlds:
                events = (*shard.events, *at.get((world, following, shard.bucket), ()))
                mine = replace(shard, worlds=(world,), events=events)
                yield from self.work([mine], Meddled(files, events=seen))  # type: ignore[arg-type]


@dataclass(frozen=True)
class KnowsBuyers:
    """The second pass, which leaves out who buys at any time."""

    work: MeasureMonths

    def __call__(self, items: Sequence[MonthShard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        yield from self.work(items, Meddled(files, purchased_at=pl.lit(0)))  # type: ignore[arg-type]


def real_pass(build: GuardedBuild, bought: Bought, slices: int) -> MeasureMonths:
    """The build's own, for leaky ones to begin with."""
    work = measure_months(build, bought, slices)
    assert isinstance(work, MeasureMonths)
    return work


def closed_boundary(build: GuardedBuild, bought: Bought, slices: int) -> Work[MonthShard]:
    return SeesBeyond(real_pass(build, bought, slices), 0)


def local_time(build: GuardedBuild, bought: Bought, slices: int) -> Work[MonthShard]:
    return SeesBeyond(real_pass(build, bought, slices), HOUR_MICROS)


def next_month_too(build: GuardedBuild, bought: Bought, slices: int) -> Work[MonthShard]:
    return SeesBeyond(real_pass(build, bought, slices), 40 * 24 * HOUR_MICROS)


def buyers_known(build: GuardedBuild, bought: Bought, slices: int) -> Work[MonthShard]:
    return KnowsBuyers(real_pass(build, bought, slices))


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("measure", "named"),
    [
        (closed_boundary, {"number_of_skips", "total_tracks_duration_ms", "number_of_likes"}),
        (local_time, {"number_of_skips", "total_tracks_duration_ms", "number_of_likes"}),
        (next_month_too, {"number_of_skips", "number_of_different_artists", "number_of_likes"}),
        (buyers_known, set(NAMES)),
    ],
)
def test_a_leak_of_the_second_pass(measure: Callable[..., Work[MonthShard]], named: set[str]) -> None:
    build = build_with(EVENTS, measure, Maker, PLAN, slots=1, tables=dimensions_of)
    with pytest.raises(GuardError) as caught:
        perturbation(build, measure=measure)
    assert named <= named_in(str(caught.value))


class LikesAtAnyTime(Maker):
    """A like counts for the plays of all months, whenever it came."""

    def features(self, rows: SliceRows, sides: Lookups, months: Sequence[date]) -> pl.DataFrame:
        first = rows.measured.group_by("user_id").agg(pl.col("month").min())
        liked = rows.liked.drop("month").join(first, on="user_id").select(rows.liked.columns)
        return super().features(replace(rows, liked=liked), sides, months)


class PopularAtAnyTime(Maker):
    """Plays of all months count as earlier ones."""

    def features(self, rows: SliceRows, sides: Lookups, months: Sequence[date]) -> pl.DataFrame:
        ever = sides.played.with_columns(month=pl.lit(date(2000, 1, 1)))
        return super().features(rows, replace(sides, played=ever), months)


class WindowsAhead(Maker):
    """Each row is of the user's next month."""

    def features(self, rows: SliceRows, sides: Lookups, months: Sequence[date]) -> pl.DataFrame:
        made = super().features(rows, sides, months)
        names = [each.name for each in self.plan.features]
        return made.with_columns(pl.col(names).shift(-1).over("user_id", order_by="month"))


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("maker", "named"),
    [
        (LikesAtAnyTime, {"number_of_liked_tracks_listened"}),
        (PopularAtAnyTime, {"average_prior_plays"}),
        (WindowsAhead, {"number_of_skips", "month_of_year"}),
    ],
)
def test_a_leak_of_the_third_pass(maker: type[Maker], named: set[str]) -> None:
    build = build_with(EVENTS, measure_months, maker, PLAN, tables=dimensions_of)
    with pytest.raises(GuardError) as caught:
        perturbation(build, maker=maker)
    assert named <= named_in(str(caught.value))


@pytest.mark.thorough
def test_the_future_on_the_cut_off_is_seen_only_where_it_is_invented() -> None:
    """Nothing really happened at midnight: deleting it changes nothing, so that it takes the other world."""
    build = build_with(EVENTS, closed_boundary, Maker, PLAN, slots=1, tables=dimensions_of)
    with pytest.raises(GuardError, match=r"on are scrambled"):
        perturbation(build, measure=closed_boundary)
