"""Where people err: what is asked again, what that says of all, and the guarantee in simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pozytywka_spark.factory.group import How, build
from pozytywka_spark.factory.proof.binomial import share_low
from pozytywka_spark.factory.proof.cases import BAD, NOT_LOOKED, OK, REFUSE, SIDES, Cases, spokesmen, wanted
from pozytywka_spark.factory.proof.looks import asked
from pozytywka_spark.factory.proof.lots import asked_share, by_lot, lots
from pozytywka_spark.factory.proof.noise import Noise
from pozytywka_spark.factory.proof.prove import prove, tried
from pozytywka_spark.factory.proof.sequence import Demands, Sequence
from tests.factory.proof_worlds import (
    GOOD,
    JUST_BELOW,
    UNBLURRED,
    World,
    draw,
    noisy_group,
    of_name,
    of_three,
)

DEMANDS = Demands()
ERRING = Noise(0.02, 0.019)


def made(count: int, wrong: float, noise: float, rng: np.random.Generator) -> tuple[Cases, np.ndarray]:
    """Cases that the model all takes to be bad, and what three would say of each."""
    truth = np.where(rng.random(count) < wrong, OK, BAD)
    said = truth ^ (rng.random(count) < noise)
    order = rng.integers(0, 2**63, count).astype(np.uint64)
    cases = Cases(np.ones(count), said, np.arange(count), order, np.full(count, NOT_LOOKED))
    return cases, of_three(cases, truth, noise, rng)


def looked_at(cases: Cases, three: np.ndarray, most: int) -> Cases:
    places = by_lot(cases, cases.verdict != BAD)[:most]
    looked = cases.looked.copy()
    looked[places] = three[places]
    return replace(cases, looked=looked)


def test_lots_are_even_and_know_nothing_of_the_order() -> None:
    cases, _ = made(20_000, 0.0, 0.0, np.random.default_rng(1))
    lot = lots(cases)
    assert stats.kstest(lot, "uniform").pvalue > 0.01
    assert abs(stats.spearmanr(lot, cases.order).statistic) < 0.03
    assert np.array_equal(lot, lots(cases))


@pytest.mark.parametrize(
    ("lot", "looked", "share"),
    [
        ([0.1, 0.5, 0.7], [False, False, False], 1.0),  # none was asked: all counts, as first said
        ([0.1, 0.5, 0.7], [True, True, True], 1.0),
        ([0.1, 0.5, 0.7], [True, True, False], 0.5),
        ([0.5, 0.1, 0.7], [True, False, False], 0.5),  # an answer that isn't there
        ([0.1, 0.5, 0.7], [True, False, True], 1.0),
        ([0.1, 0.5, 0.6, 0.7], [False, False, True, False], 1.0),  # too few to go by
    ],
)
def test_down_to_which_lot_people_were_asked(lot: list[float], looked: list[bool], share: float) -> None:
    assert asked_share(np.array(lot), np.array(looked)) == share


def passed(wrong: float, noise: float, most: int, *, count: int, limit: float) -> float:
    """The exact chance to pass: all numbers of wrong and of falsely wrong cases, all draws, the last lot.

    Below `most` disagreements all are known; else the last lot drawn is a beta variate, and the wrong ones
    among those drawn are hypergeometric.
    """
    bads = np.arange(int(stats.binom.ppf(1 - 1e-7, count, wrong)) + 1)
    ends = stats.binom.ppf([1e-7, 1 - 1e-7], count, noise).astype(int)
    bad, false, drawn = np.meshgrid(bads, np.arange(ends[0], ends[1] + 1), np.arange(most + 1), indexing="ij")
    weight = stats.binom.pmf(bad, count, wrong) * stats.binom.pmf(false, count, noise)
    every = bad + false
    known = stats.binom.cdf(bad, count, limit) <= 0.05
    # at most so many of `count` with a probability of 0.05: Clopper and Pearson's bound
    least = stats.beta.ppf(0.95, np.arange(most + 1) + 1, count - np.arange(most + 1)) / limit
    late = stats.beta.sf(np.minimum(least, 1.0)[drawn], most, np.maximum(every - most, 0) + 1)
    part = stats.hypergeom.pmf(drawn, every, bad, np.minimum(most, every)) * late
    return float(np.sum(weight * np.where(every <= most, known / (most + 1), part)))


@pytest.mark.thorough
@pytest.mark.parametrize(("noise", "most"), [(0.02, 10), (0.02, 25), (0.04, 30), (0.005, 8)])
def test_what_was_asked_by_lot_refutes_a_limit_in_5_percent_at_most(noise: float, most: int) -> None:
    count, limit = 800, 0.02
    held = passed(limit, noise, most, count=count, limit=limit)
    assert held <= 0.05
    assert held >= 0.01  # and isn't idle
    # the code's own test, of the same cases drawn
    rng, sequence = np.random.default_rng(2), Sequence(np.array([1.0]), limit, Noise(1e-12), 1.0)
    found = 0
    for _ in range(300):
        cases, _ = made(count, limit / 4, noise, rng)
        truth = np.where(rng.random(count) < limit / 4, OK, BAD)
        said = np.where(rng.random(count) < noise, OK, truth)
        cases = looked_at(replace(cases, verdict=said), truth, most)
        found += tried(cases, 1.0, sequence, REFUSE, DEMANDS).p <= 0.05
    expected = passed(limit / 4, noise * (1 - limit / 4), most, count=count, limit=limit)
    assert found / 300 == pytest.approx(expected, abs=0.1)


@pytest.mark.thorough
@pytest.mark.parametrize("most", [30, 1000])
def test_of_sides_just_below_5_percent_pass_although_people_err(most: int) -> None:
    rng, sequence, passes, runs = (
        np.random.default_rng(3),
        Sequence(np.array([1.0]), 0.01, ERRING, 1.0),
        0,
        800,
    )
    lows = []
    for _ in range(runs):
        cases = looked_at(*made(2500, 0.0101, 0.02, rng), most)
        trial = tried(cases, 1.0, sequence, REFUSE, DEMANDS)
        passes += trial.p <= 0.05
        lows.append(trial.low)
        assert (trial.p <= 0.05) == (trial.low >= 0.99 - 1e-9)
    assert passes <= 0.06 * runs
    assert passes >= 0.005 * runs
    assert np.mean(np.array(lows) > 1 - 0.0101) <= 0.06


@given(st.floats(0.0, 0.1), st.floats(0.0, 1.0), st.floats(0.0, 0.05), st.floats(0.0, 0.05))
def test_seen_and_true_shares_are_each_others_inverse(
    share: float, part: float, limit: float, overturned: float
) -> None:
    noise = Noise(share, share * part)
    assert noise.true(noise.visible(limit, overturned), overturned) == pytest.approx(limit, abs=1e-12)
    assert noise.visible(limit, 0.0) <= limit


def test_what_people_add_is_no_more_than_simulated() -> None:
    rng = np.random.default_rng(5)
    cases, three = made(400_000, 0.0, 0.05, rng)
    differs = cases.verdict != BAD
    upheld, overturned = np.mean(differs & (three != BAD)), np.mean(differs & (three == BAD))
    assert upheld == pytest.approx(overturned * Noise(0.05, 0.05).upheld(), rel=0.05)
    assert Noise(0.05, share_low(20, 1000, 0.95)).upheld() < Noise(0.05, 0.05).upheld()


@pytest.mark.thorough
@settings(max_examples=25)
@given(st.integers(0, 2**31), st.integers(1, 60), st.sampled_from([1, 3]))
def test_people_are_asked_where_they_differ_and_as_often_where_not(seed: int, most: int, each: int) -> None:
    rng = np.random.default_rng(seed)
    group, _ = noisy_group(World(0.3, 4.0, noise=0.02, each=each), 4000, rng)
    for side in SIDES:
        again = asked(group.training, group.tested, side, DEMANDS, most)
        for cases, places in ((group.training, again.training), (group.tested, again.tested)):
            assert len(np.unique(places)) == len(places)
            assert np.all(cases.looked[places] == NOT_LOOKED)
        differs = group.tested.verdict[again.tested] != wanted(side)
        assert np.all(group.training.verdict[again.training] != wanted(side))
        assert differs.sum() <= 2.5 * most
        assert (~differs).sum() <= min(most, max(differs.sum(), 1))
        turned = group.tested.ranked(side)
        if not len(again.tested):
            continue
        # whoever speaks and differs at any threshold from the loosest on, and wasn't asked, has a later lot
        loosest, lot = turned.score[again.tested].min(), lots(turned)
        last = lot[again.tested[differs]].max(initial=0.0)
        for threshold in (loosest, np.quantile(turned.score[turned.score >= loosest], 0.5)):
            speaking = spokesmen(turned, turned.score >= threshold)
            left = np.setdiff1d(speaking[turned.verdict[speaking] != wanted(side)], again.tested)
            assert np.all(lot[left] > last)


@pytest.mark.thorough
def test_after_second_looks_wrong_first_verdicts_cost_little() -> None:
    clean = blind = 0.0
    after = [0.0, 0.0]
    for number in range(16):
        rng = np.random.default_rng([4, number])
        world = replace(of_name((GOOD, UNBLURRED)[number % 2], rng), noise=0.02)
        group, sure = noisy_group(world, 10_000, rng)
        for side in SIDES:
            clean += prove(*sure, side, DEMANDS)[0].coverage
        found, again = group.build(DEMANDS, 50, Noise())
        blind += sum(threshold is not None for threshold in found.values())
        for looks in range(2):
            group = group.answered(again)
            found, again = group.build(DEMANDS, 50, ERRING)
            after[looks] += sum(
                world.decided(side, threshold) for side, threshold in found.items() if threshold is not None
            )
    assert blind == 0
    assert after[0] >= 0.7 * clean > 0
    assert after[1] >= 0.8 * clean


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "groups"),
    [
        *((name, 12) for name in (GOOD, JUST_BELOW)),
        *(pytest.param(name, 150, marks=pytest.mark.nightly) for name in (GOOD, JUST_BELOW)),
    ],
)
def test_although_people_err_hardly_any_side_that_is_kept_is_truly_below(name: str, groups: int) -> None:
    kept = below = builds = 0
    for number in range(groups):
        rng = np.random.default_rng([6, number])
        world = replace(of_name(name, rng), noise=0.02)
        group, _ = noisy_group(world, 8000, rng)
        _, again = group.build(DEMANDS, 50, Noise())
        for _ in range(2):
            group = group.answered(again)
            found, again = group.build(DEMANDS, 50, ERRING)
            builds += 2
            for side, threshold in found.items():
                kept += threshold is not None
                below += threshold is not None and world.precision(side, threshold) < 0.99
    assert stats.binom.sf(below - 1, builds, 0.02) > 0.01  # no more than by chance
    if name == GOOD:
        assert stats.binom.sf(below - 1, kept, 0.05) > 0.01
        assert kept >= 0.2 * builds


@pytest.mark.thorough
def test_cases_that_came_after_the_last_second_looks_prove_nothing_yet() -> None:
    rng = np.random.default_rng(8)
    cases, truth = draw(World(0.3, 4.5, noise=0.02), 12_000, rng)
    three, early, time = of_three(cases, truth, 0.02, rng), 9000, np.arange(12_000) * 60_000_000
    rows = pl.DataFrame(
        {
            "case_id": [f"{place:05}" for place in range(12_000)],
            "accounts": cases.witness.reshape(-1, 1).tolist(),
            "cut_off": time,
            "opened_at": time,
            "decided_at": time,
            "verdict": cases.verdict,
            "looked": cases.looked,
            "asked_at": pl.Series([None] * 12_000, dtype=pl.Int64),
            "testable": True,
            "score": cases.score,
        }
    )
    how = How(DEMANDS, 0.5, 0.2, 0, 50, 10, 0, score_column="score")
    erring, before = replace(how, noise=ERRING), rows.head(early)
    for _ in range(3):
        again = build(before, [], how).looks
        places = np.array([int(each) for each in again])
        chosen = pl.col("case_id").is_in(again)
        before = before.with_columns(
            pl.when(chosen).then(pl.lit(pl.Series(three[:early]))).otherwise("looked").alias("looked"),
            pl.when(chosen).then(pl.lit(int(time[early - 1]))).otherwise("asked_at").alias("asked_at"),
        )
        assert len(places) == len(set(places))
        how = erring
    grown = pl.concat([before, rows.tail(12_000 - early)])
    kept = {each.side for each in build(before, [], erring).proofs if each.is_kept}
    assert kept == set(SIDES)
    after = build(grown, [], erring)
    assert {each.side for each in after.proofs if each.is_kept} == kept
    assert any(int(each) >= early for each in after.looks)  # asked about now
    # were they let prove, what nobody looked at would stand against the model
    all_at_once = grown.with_columns(pl.lit(int(time[-1])).alias("asked_at"))
    covered = [sum(each.coverage for each in one.proofs) for one in (build(all_at_once, [], erring), after)]
    assert covered[0] < 0.8 * covered[1]
