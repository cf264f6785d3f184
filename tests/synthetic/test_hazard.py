"""The purchase hazard is the function that its module documents."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.synthetic import hazard
from pozytywka_spark.synthetic.catalogue import catalogue_of
from pozytywka_spark.synthetic.hazard import Memory
from pozytywka_spark.synthetic.life import heard, life_of
from tests.worlds.synthetic import TINY, planned


def memory(adverts: float, likes: float, plays: float, favourites: float, popularity: float) -> Memory:
    return Memory(*(np.array([value]) for value in (adverts, likes, plays, favourites, popularity)))


def test_the_log_hazard_by_hand() -> None:
    """Six adverts, three likes, ten plays (four of favourites, mean popularity 61), in January."""
    f = (4 + 10 * 0.125) / (10 + 10)
    p = (610 + 10 * 45) / (10 + 10)
    keen = 1 / (1 + math.exp(-25 * (f - 0.2)))
    expected = (
        0.9 * 0  # nothing is left out: each term once
        + hazard.ADVERTS * math.log(7)
        + hazard.LIKES * math.log(4)
        + hazard.FAVOURITES * f
        + hazard.POPULARITY * (p - 45) / 20
        + hazard.FED_UP * math.log(7) * keen
        + hazard.SEASON * math.cos(2 * math.pi * 1 / 12)
    )
    assert hazard.log_hazard(memory(6, 3, 10, 4, 610), np.array([1]))[0] == pytest.approx(expected, rel=1e-12)


def test_adverts_drive_those_more_who_hear_what_they_love() -> None:
    def effect(favourites: float) -> float:
        few, many = memory(1, 0, 50, favourites, 2250), memory(20, 0, 50, favourites, 2250)
        december = np.array([12])
        return float(hazard.log_hazard(many, december)[0] - hazard.log_hazard(few, december)[0])

    assert effect(favourites=40) > 1.5 * effect(favourites=0)


def test_memory_halves_in_a_half_life() -> None:
    faded = memory(8, 4, 2, 1, 90).faded(np.array([hazard.HALF_LIFE_DAYS]))
    assert [float(value[0]) for value in vars(faded).values()] == [4, 2, 1, 0.5, 45]


@given(st.lists(st.sampled_from(["advert", "skip", "end"]), max_size=60))
def test_the_weight_of_a_session_is_the_sum_of_its_breaks(breaks: list[str]) -> None:
    advert = np.array([kind == "advert" for kind in breaks], dtype=bool)
    skipped = np.array([kind == "skip" for kind in breaks], dtype=bool)
    before = np.cumsum(advert) - advert
    one_by_one = hazard.break_weight(advert, skipped, before).sum()
    at_once = hazard.session_weight(np.array(advert.sum()), np.array((~advert & ~skipped).sum()))
    assert one_by_one == pytest.approx(float(at_once))


@pytest.mark.thorough
def test_the_walk_remembers_only_what_was_before() -> None:
    """Each session's hazard again, slowly, from that user's earlier sessions alone."""
    plan = planned(TINY)
    life = life_of(plan, 0)
    content = heard(life.sessions, life.plays, catalogue_of(plan))
    start, user = life.walk.start_ms, life.sessions.user
    for at in range(0, len(user), 7):
        earlier = np.flatnonzero((user == user[at]) & (start < start[at]))
        left = 0.5 ** ((start[at] - start[earlier]) / 86_400_000 / hazard.HALF_LIFE_DAYS)
        before = Memory(*(np.array([(value[earlier] * left).sum()]) for value in vars(content).values()))
        month = np.array([(plan.world.start.month - 1 + life.sessions.month[at]) % 12 + 1])
        assert life.walk.eta[at] == pytest.approx(hazard.log_hazard(before, month)[0], rel=1e-9)
