"""Guard 1 finds every planted leak by name: in passes of nothing but leaks, in entries, in the passes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
import pytest

from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.build.items import UserSlice
from pozytywka_spark.features.build.plan import plan_of
from pozytywka_spark.features.guards.compare_slices import Maker, MakeSlice
from pozytywka_spark.features.guards.rebuild import measure_months
from pozytywka_spark.features.guards.worlds import World
from pozytywka_spark.lake.tasks import TaskFiles
from tests.features.guards.made_builds import (
    LeakyMaker,
    build_with,
    dimensions_of,
    perturbation,
    plan_of_names,
    put_events_down,
    silver_events,
)
from tests.features.leaks import leaky_columns
from tests.features.leaky_entries import LEAKS, leaky_entries


def named_in(message: str) -> set[str]:
    """Every feature that the guard says changes."""
    first = re.match(
        r"guard perturbation: feature (\w+) of user \d+, month \d{4}-\d{2} changes when ", message
    )
    others = re.search(r" are (?:deleted|scrambled)(?:; so do ([\w, ]+))?: it looks into the future", message)
    assert first
    assert others
    return {first[1], *(others[1].split(", ") if others[1] else [])}


@dataclass(frozen=True)
class HalfLeaky(LeakyMaker):
    """A clean column beside leaks."""

    def within(self, world: World, files: TaskFiles) -> MakeSlice:
        make = LeakyMaker(self.tracks, self.plays, plan_of_names(["next_months_plays"])).within(world, files)

        def half(users: UserSlice, months: Sequence[date], part: int, parts: int) -> pl.DataFrame:
            return make(users, months, part, parts).with_columns(clean=pl.lit(1.0))

        return half


@pytest.mark.thorough
def test_twenty_eight_planted_leaks_are_each_named() -> None:
    leaks = list(leaky_columns())
    assert len(leaks) == 28
    build = build_with(silver_events(), put_events_down, LeakyMaker, plan_of_names(leaks))
    with pytest.raises(GuardError) as caught:
        perturbation(build, measure=put_events_down, maker=LeakyMaker)
    assert named_in(str(caught.value)) == set(leaks)


@pytest.mark.thorough
def test_a_leak_beside_a_clean_column_is_told_apart() -> None:
    build = build_with(
        silver_events(), put_events_down, HalfLeaky, plan_of_names(["clean", "next_months_plays"])
    )
    with pytest.raises(
        GuardError, match=r"feature next_months_plays of user \d+, month 20\d\d-\d\d changes when the events"
    ) as caught:
        perturbation(build, measure=put_events_down, maker=HalfLeaky)
    assert named_in(str(caught.value)) == {"next_months_plays"}


@pytest.mark.thorough
def test_twenty_four_leaky_entries_are_each_named() -> None:
    assert len(LEAKS) == 24
    build = build_with(silver_events(), measure_months, Maker, plan_of(leaky_entries()), tables=dimensions_of)
    with pytest.raises(GuardError) as caught:
        perturbation(build)
    assert named_in(str(caught.value)) == set(LEAKS)
