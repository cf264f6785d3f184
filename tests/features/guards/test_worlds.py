"""Which worlds a build is tried in, and what each of them knows."""

from __future__ import annotations

from datetime import date

import pytest

from pozytywka_spark.features.guards.worlds import World, worlds_of
from pozytywka_spark.months import months_between


def month(text: str) -> date:
    return date.fromisoformat(f"{text}-01")


@pytest.mark.parametrize(
    ("first", "last", "latest", "names"),
    [
        # a full build: one of its months but the last, chosen by the seed, and the last
        ("2022-01", "2022-12", "2022-12", ["2022-08 deleted", "2022-08 scrambled", "2022-12 scrambled"]),
        # a month more: nothing lies after it that could be deleted
        ("2022-12", "2022-12", "2022-12", ["2022-12 scrambled"]),
        # a month in the midst of others, whose purchases the build is given
        ("2022-06", "2022-06", "2022-12", ["2022-06 deleted", "2022-06 scrambled"]),
        # a few: each
        ("2022-11", "2022-12", "2022-12", ["2022-11 deleted", "2022-11 scrambled", "2022-12 scrambled"]),
    ],
)
def test_worlds_of_a_build(first: str, last: str, latest: str, names: list[str]) -> None:
    worlds = worlds_of(months_between(month(first), month(last)), month(latest), seed=7)
    assert [world.name for world in worlds] == names


def test_every_month_but_the_last_may_be_chosen() -> None:
    built = months_between(month("2022-01"), month("2022-12"))
    chosen = {worlds_of(built, built[-1], seed)[0].month for seed in range(100)}
    assert chosen == set(built[:-1])


def test_what_a_world_knows_and_invents() -> None:
    scrambled, deleted = World(month("2022-11"), "scrambled"), World(month("2022-11"), "deleted")
    assert scrambled.cut_off == month("2022-12")
    assert [scrambled.knows(month(each)) for each in ("2022-11", "2022-12")] == [True, False]
    # a hundred days from the first of December on
    assert scrambled.months == tuple(months_between(month("2022-12"), month("2023-03")))
    assert deleted.months == ()
    looks = [scrambled.looks_back_to(month(each)) for each in ("2021-11", "2021-12", "2022-11", "2022-12")]
    assert looks == [False, True, True, False]
    assert not deleted.looks_back_to(month("2022-11"))
