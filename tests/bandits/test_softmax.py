"""The recovering softmax: published numbers by brute force, estimates by an independent oracle."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from math import exp

import numpy as np
import polars as pl
import pytest
from scipy.stats import multivariate_normal

from pozytywka_spark.bandits.decide import probabilities
from pozytywka_spark.bandits.policy import parse_policy
from pozytywka_spark.bandits.softmax import PUBLISHED, Settings, estimate, learn
from pozytywka_spark.bandits.softmax.cells import BUCKETS, cells_of
from pozytywka_spark.bandits.softmax.compared import CENTRES, compared
from pozytywka_spark.bandits.softmax.regression import Prior, normal_equations
from pozytywka_spark.bandits.softmax.window import FEWEST, days_needed
from pozytywka_spark.errors import DataError, UsageError
from tests.bandits.made_sums import brute_sums, decisions

EFFECTS = np.array([[0.0, 0.1], [0.3, 0.2], [-0.4, 0.5], [0.2, -0.2]])
PLAIN = replace(PUBLISHED, window="all", explore=0.0)


def so_often(sums, times):
    """The sums of the same decisions so many times."""
    summed = [name for name in sums.columns if name.startswith(("chosen_", "other_"))]
    return sums.with_columns(pl.col("rounds", *summed) * times)


def published_by_hand(rows, arm, group, shrinkage):
    """The score of an arm in a group, from decisions one at a time."""

    def mean_and_size(chosen, of_group):
        weights, rewards = [], []
        for row in rows:
            if arm in row["eligible"] and (of_group is None or row["group"] == of_group):
                p = row["probabilities"][row["eligible"].index(arm)]
                if (row["chosen"] == arm) == chosen and min(p, 1 - p) >= 0.005:
                    weights.append(1 / p if chosen else 1 / (1 - p))
                    rewards.append(row["reward"])
        total = sum(weights)
        mean = sum(w * r for w, r in zip(weights, rewards, strict=True)) / total
        return mean, total**2 / sum(w * w for w in weights)

    means = {}
    for chosen in (True, False):
        of_arm, _ = mean_and_size(chosen, None)
        mean, size = mean_and_size(chosen, group)
        means[chosen] = (size * mean + of_arm * shrinkage) / (size + shrinkage)
    return (means[True] - means[False]) / means[False]


@pytest.mark.thorough
@pytest.mark.parametrize("shrinkage", [0.0, 50.0, 1e5])
def test_published_scores_and_probabilities_are_those_by_hand(shrinkage):
    rows = decisions(EFFECTS, rounds=3000, seed=1, uniform=False)
    document = learn(brute_sums(rows), "s", replace(PLAIN, shrinkage=shrinkage))
    by_hand = {
        arm: {group: published_by_hand(rows, arm, group, shrinkage) for group in ("g0", "g1")}
        for arm in ("a0", "a1", "a2", "a3")
    }
    for arm, of_groups in by_hand.items():
        for group, score in of_groups.items():
            assert document["scores"][arm][group] == pytest.approx(score, abs=1e-10)
    assert document["recency"] == {"gamma": 0.017, "half_life_days": 15.0}
    assert document["temperature"] == 0.0025
    days = {"a0": 3.0, "a2": 0.5, "a3": None}
    found = probabilities(parse_policy(document), group="g1", eligible=list(by_hand), days_since=days)
    exponents = [
        of_groups["g1"] - (0.017 * 0.5 ** (days[arm] / 15) if days.get(arm) is not None else 0)
        for arm, of_groups in by_hand.items()
    ]
    weights = [exp((each - max(exponents)) / 0.0025) for each in exponents]
    assert list(found.values()) == pytest.approx([weight / sum(weights) for weight in weights], abs=1e-10)


@pytest.mark.thorough
def test_posterior_and_evidence_are_those_of_a_regression_written_out():
    cells = cells_of(brute_sums(decisions(EFFECTS, rounds=4000, seed=2, uniform=False)))
    said = compared(cells)
    days, arms, groups, buckets = said.difference.shape
    prior = np.array(
        [
            [(a == b) * (0.03**2 + (g == h) * 0.01**2) for h in range(groups) for b in range(arms)]
            for g in range(groups)
            for a in range(arms)
        ]
    )
    size = arms * groups
    covariance = np.block([[prior, np.zeros((size, 1))], [np.zeros((1, size)), np.full((1, 1), 0.01**2)]])
    mean = np.append(np.zeros(size), 0.02)
    evidence, oracle = {}, {}
    for half_life in (5.0, 30.0):
        rows, seen, noise = [], [], []
        fresh = [0.0 if bucket == -1 else 0.5 ** (CENTRES[k] / half_life) for k, bucket in enumerate(BUCKETS)]
        for d, a, g, k in np.ndindex(days, arms, groups, buckets):
            if said.precision[d, a, g, k] == 0:
                continue
            row = np.zeros(size + 1)
            row[g * arms + a], row[size] = 1, -fresh[k]
            shown = said.shown[d, :, g].sum(1)
            for b in range(arms):
                if b != a:
                    share = shown[b] / (shown.sum() - shown[a])
                    row[g * arms + b] -= share
                    row[size] += share * (said.shown[d, b, g] @ fresh) / shown[b]
            rows.append(row)
            seen.append(said.difference[d, a, g, k])
            noise.append(1 / said.precision[d, a, g, k])
        design = np.array(rows)
        of_data = design @ covariance @ design.T + np.diag(noise)
        evidence[half_life] = multivariate_normal(design @ mean, of_data).logpdf(seen)
        gain = covariance @ design.T @ np.linalg.inv(of_data)
        oracle[half_life] = (
            mean + gain @ (np.array(seen) - design @ mean),
            covariance - gain @ design @ covariance,
        )
    found = {h: normal_equations(said, h).posterior(Prior(0.03, 0.01, 0.02, 0.01)) for h in oracle}
    for half_life, (expected, spread) in oracle.items():
        posterior = found[half_life]
        np.testing.assert_allclose(posterior.effects.ravel(), expected[:size], atol=1e-10)
        assert posterior.shared[arms] == pytest.approx(expected[size], abs=1e-10)
        assert posterior.shared_covariance[arms, arms] == pytest.approx(spread[size, size], abs=1e-10)
        for group in range(groups):
            own = slice(group * arms, (group + 1) * arms)
            np.testing.assert_allclose(posterior.covariances[group], spread[own, own], atol=1e-10)
        # θ given effects, by its own little regression
        share = groups * 0.03**2 / (0.01**2 + groups * 0.03**2)
        of_arms = share * expected[:size].reshape(groups, arms).mean(0)
        np.testing.assert_allclose(posterior.shared[:arms], of_arms, atol=1e-10)
    ratio = found[5.0].evidence - found[30.0].evidence
    assert ratio == pytest.approx(evidence[5.0] - evidence[30.0], abs=1e-8)


@pytest.mark.thorough
@pytest.mark.parametrize("uniform", [True, False])
def test_large_effects_are_found_whatever_policy_logged_them(uniform):
    learnt = estimate(brute_sums(decisions(EFFECTS, rounds=6_000, seed=3, uniform=uniform)), "s", Settings())
    found = learnt.effects.scores
    truth = EFFECTS - EFFECTS.mean(0)
    assert np.abs(found - truth).max() < 4 * learnt.effects.deviations.max()
    assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.95


def test_novelty_is_measured_where_there_are_data():
    sums = so_often(brute_sums(decisions(np.zeros((4, 1)), rounds=3000, seed=4, gamma=0.8)), 1000)
    effects = estimate(sums, "s", Settings()).effects
    assert effects.gamma == pytest.approx(0.8, abs=0.2)  # from a prior of .017
    assert effects.gamma_deviation < 0.005


def test_few_data_leave_the_published_numbers_and_hardly_a_score():
    learnt = estimate(brute_sums(decisions(EFFECTS, rounds=100, seed=5)), "s", replace(Settings(), bonus=0.0))
    assert learnt.gamma == pytest.approx(0.017, abs=0.003)
    assert 7 < learnt.half_life_days < 30
    assert np.abs(learnt.scores).max() < 0.05  # of .4


def test_numbers_that_are_given_are_taken():
    sums = brute_sums(decisions(EFFECTS, rounds=500, seed=6))
    given = Settings(gamma=0.03, half_life_days=4.0, temperature=0.01)
    document = learn(sums, "s", given)
    assert document["recency"]["gamma"] == pytest.approx(0.03, abs=1e-9)
    assert document["recency"]["half_life_days"] == 4.0
    assert document["temperature"] == 0.01


@pytest.mark.thorough
def test_an_arm_little_known_gets_a_bonus_and_one_unknown_the_largest():
    rows = decisions(np.zeros((3, 2)), rounds=5_000, seed=7)
    rare = [row for n, row in enumerate(rows) if row["chosen"] != "a2" or n % 20 == 0]
    arms = ["a0", "a1", "a2", "new"]
    learnt = estimate(brute_sums(rare), "s", Settings(), arms=arms)
    bonus = learnt.scores - learnt.effects.scores
    assert (bonus[3] >= bonus[2]).all()
    assert (bonus[2] > bonus[:2]).all()
    document = learn(brute_sums(rare), "s", Settings(), arms=arms)
    assert document["arms"] == arms
    assert set(document["scores"]["new"]) == {"", "g0", "g1"}


def test_sums_of_other_slots_and_of_days_before_the_window_change_nothing():
    sums = brute_sums(decisions(EFFECTS, rounds=2000, seed=8, days=4))
    latest = sums.filter(pl.col("day") > date(2023, 5, 2))
    other = brute_sums(decisions(-EFFECTS, rounds=2000, seed=9), slot="t")
    windowed = learn(pl.concat([sums, other]), "s", Settings(window=2))
    assert windowed == learn(latest, "s", Settings(window="all"))
    assert windowed["trained_days"] == ["2023-05-03", "2023-05-04"]


def test_the_window_is_as_long_as_precision_needs():
    sums = brute_sums(decisions(EFFECTS, rounds=3000, seed=10, days=30))
    assert days_needed(compared(cells_of(sums))) == 30
    assert days_needed(compared(cells_of(so_often(sums, 10_000)))) == FEWEST


def test_learning_twice_gives_the_same_document():
    sums = brute_sums(decisions(EFFECTS, rounds=1000, seed=11))
    assert learn(sums, "s", Settings()) == learn(sums.reverse(), "s", Settings())


def test_what_cannot_be_learnt_from_is_refused():
    sums = brute_sums(decisions(EFFECTS, rounds=100, seed=12))
    with pytest.raises(DataError, match="slot t: bandit_days has no mature decision"):
        learn(sums, "t", Settings())
    with pytest.raises(DataError, match="arm 'a2'; expected one of a0, a1"):
        learn(sums, "s", Settings(), arms=["a0", "a1"])
    with pytest.raises(UsageError, match="arm a0"):
        learn(sums, "s", Settings(), rules={"a0": [{"column": "plays", "op": "like", "value": 1}]})


def test_a_slot_of_one_arm_and_no_group_is_a_policy_all_the_same():
    rows = [row | {"group": None} for row in decisions(np.zeros((2, 1)), rounds=200, seed=13)]
    sums = brute_sums(rows).filter(pl.col("arm") == "a0")
    document = learn(sums, "s", Settings())
    assert document["scores"] == {"a0": {"": 0.0}}
    assert probabilities(parse_policy(document), group=None) == {"a0": 1.0}
