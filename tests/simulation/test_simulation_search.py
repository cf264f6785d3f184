"""The search on a world of known hazard: direction and size, guard, random search, the same twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pozytywka_spark.models.calibration import Calibrator
from pozytywka_spark.simulation.levers import LEVERS
from pozytywka_spark.simulation.recommendations import AdviseOn, GroupedUsers, change_errors, front_rows
from pozytywka_spark.simulation.search import (
    HALVINGS,
    drawn_settings,
    front_of,
    hypervolume,
    objectives,
    search,
)
from pozytywka_spark.simulation.segment import Segment
from tests.in_memory import MemoryTasks
from tests.worlds.ads_world import World, true_probability

NAMES = [lever.name for lever in LEVERS]


def at(segment: Segment, **settings: float) -> np.ndarray:
    """Settings with some levers turned."""
    found = segment.none.copy()
    for name, value in settings.items():
        found[NAMES.index(name)] = value
    return found


@pytest.mark.thorough
def test_fewer_and_more_adverts_change_purchases_as_the_hazard_says(ads_world: World) -> None:
    """Direction always, size within the interval, over the generator's own hazard of the changed world."""
    segment, now = ads_world.segment, ads_world.now.iloc[: len(ads_world.segment.users)]
    factors = [0.5, 0.7, 1.3, 1.6]
    settings = np.array([segment.none, *(at(segment, adverts=factor) for factor in factors)])
    outcome = segment.evaluate(settings)
    change = outcome.probability[1:] - outcome.probability[0]
    error = change_errors(segment, ads_world.task, settings[1:])
    truth = np.array([(true_probability(now, factor) - now["truth"]).mean() for factor in factors])
    assert (np.sign(change) == np.sign(truth)).all()
    assert (np.abs(change - truth) <= error).all(), (change, truth, error)
    assert (error < np.abs(change)).all()  # an interval that says nothing would hold any truth


def test_the_genetic_search_beats_random_search_of_ten_times_the_evaluations(ads_world: World) -> None:
    """Hypervolume over two seeds, same guard, bounds and draw as of the first population."""
    task, chosen = (
        ads_world.task,
        ads_world.task.simulation.model_copy(
            update={"rows": 80, "neighbours": 300, "population": 32, "generations": 20}
        ),
    )
    segment = Segment(ads_world.now.iloc[:300], LEVERS, task.model, task.actionable, chosen)
    # what the search spends on finding how far each lever can go counts too
    evaluations = chosen.population * chosen.generations + 2 * len(NAMES) * (1 + HALVINGS)
    found = []
    for seed in (1, 2):
        drawn = drawn_settings(segment, segment.bounds, 10 * evaluations, np.random.default_rng(seed))
        fronts = [search(segment, seed), front_of(segment, np.array([segment.snap(each) for each in drawn]))]
        values = [objectives(front.outcome) for front in fronts]
        both = np.concatenate(values)
        found.append([hypervolume(each, both.min(axis=0), both.max(axis=0)) for each in values])
    genetic, random = np.mean(found, axis=0)
    assert genetic >= random, found


@pytest.mark.thorough
def test_a_front_is_allowed_undominated_and_starts_today(ads_world: World) -> None:
    front = search(ads_world.segment, 4)
    values = objectives(front.outcome)
    for place, one in enumerate(values):
        others = np.delete(values, place, axis=0)
        assert not ((others <= one).all(axis=1) & (others < one).any(axis=1)).any()
    assert (front.outcome.support >= ads_world.segment.simulation.min_support).all()
    assert (front.settings[0] == ads_world.segment.none).all()
    assert front.outcome.distance[0] == 0
    assert len(front.settings) > 5


@pytest.mark.thorough
def test_the_guard_knows_what_was_never_seen(ads_world: World) -> None:
    segment = ads_world.segment
    assert segment.support(segment.none) == 1.0
    assert segment.support(at(segment, adverts=0.9)) > 0.8
    assert segment.support(at(segment, tempo=60.0)) == 0.0  # nobody hears such music
    # each alone is seen; together they are not: a play can't be fast for those and slow for the others
    assert segment.support(at(segment, energy=0.25, valence=-0.25, liveness=0.25, danceability=-0.25)) < 0.5


@pytest.mark.thorough
def test_a_segments_front_is_the_same_in_whatever_order_its_rows_come(ads_world: World) -> None:
    task, names = ads_world.task, [lever.name for lever in LEVERS]
    rows = ads_world.now.assign(
        segment="all users", users=600, purchases=150.0, dice=ads_world.now["user_id"]
    )
    small = task.simulation.model_copy(update={"generations": 3})
    work = AdviseOn(replace(task, simulation=small), tuple(names), 600)
    found = []
    for order in (rows, rows.sample(frac=1, random_state=1)):
        tasks, frame = MemoryTasks(), pl.from_pandas(order, nan_to_null=True)
        parcels = tuple(tasks.put("grouped", part) for part in (frame.head(200), frame.slice(200)))
        segment = GroupedUsers("all users", 600, 150.0, parcels)
        found.append(tasks.run([segment], work, weight=lambda _: 1, named=lambda item: item.name).results)
    assert len(found[0]) > 1
    assert found[0] == found[1]
    assert {row["purchases"] for row in found[0]} == {150.0}


@pytest.mark.thorough
def test_the_suggestion_pays_off_even_at_the_intervals_low_end_and_is_told_in_words(ads_world: World) -> None:
    rows = front_rows(ads_world.segment, ads_world.task, "activity: 10 to 49 plays", 6000)
    (best,) = [row for row in rows if row["suggested"]]
    assert 20.0 * best["low"] - best["cost"] > 0
    assert best["gain"] == 20.0 * best["change"] - best["cost"]
    assert best["advice"].endswith(" for activity: 10 to 49 plays")
    assert rows[0]["advice"] == "change nothing for activity: 10 to 49 plays"
    # adverts that earn nothing are free to change; with sales worth nothing, no change is worth anything
    costs = ads_world.task.simulation.costs.model_copy(update={"advert_income": 0.0})
    chosen = ads_world.task.simulation.model_copy(update={"costs": costs, "generations": 3})
    dear = replace(ads_world.task, value_of_sale=0.0)
    segment = Segment(ads_world.now, LEVERS, dear.model, dear.actionable, chosen)
    assert front_rows(segment, dear, "x", 6000)[0]["suggested"]


def test_adverts_are_told_per_hour(ads_world: World) -> None:
    from pozytywka_spark.simulation.recommendations import advice_text

    now = ads_world.now.iloc[: len(ads_world.segment.users)]
    today = now["number_of_advertisements"].sum() / (now["listened_minutes"].sum() / 60)
    told = advice_text(ads_world.segment, at(ads_world.segment, adverts=0.5), "all users")
    assert (
        told
        == f"{today / 2:.1f} adverts fewer per hour listened ({today:.1f} to {today / 2:.1f}) for all users"
    )


def test_income_lost_is_that_of_the_adverts_not_heard(ads_world: World) -> None:
    segment = ads_world.segment
    outcome = segment.evaluate(np.array([at(segment, adverts=0.5), at(segment, favourites=1.5)]))
    ads = segment.columns["number_of_advertisements"].mean()
    assert outcome.income_lost[0] == 0.5 * ads * segment.simulation.costs.advert_income
    assert outcome.income_lost[1] == 0.0
    assert outcome.cost[1] > 0


def test_probabilities_of_arrays_equal_the_columns_formula() -> None:
    isotonic = Calibrator("isotonic", margins=(-1.0, 0.0, 2.0), probabilities=(0.1, 0.3, 0.9))
    np.testing.assert_allclose(isotonic.apply(np.array([-5.0, -0.5, 1.0, 9.0])), [0.1, 0.2, 0.6, 0.9])
    platt = Calibrator("platt", slope=2.0, intercept=1.0)
    np.testing.assert_allclose(platt.apply(np.array([0.5])), 1 / (1 + np.exp(-2.0)))
