"""The gate of bandits: who passes, who doesn't, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from pozytywka_spark.bandits.gate import Verdict, bound, weigh, weighed
from pozytywka_spark.bandits.offpolicy.blocks import blocks, names_of
from pozytywka_spark.bandits.offpolicy.reward_model import cells_of, fit
from pozytywka_spark.bandits.offpolicy.sums import Summing
from pozytywka_spark.bandits.policy import Policy
from tests.bandits.message_logs import MessageWorld, drawn_log, true_value

WORLD = MessageWorld.drawn(1)
BY = WORLD.policy(5)
BETTER, WORSE = WORLD.policy(8, noise=0.0), WORLD.policy(9, belief=-1.0, noise=0.0)
LOGGED = drawn_log(WORLD, BY, 2_000, 3)


def judged(
    challenger: Policy, champion: Policy | None, rows: pl.DataFrame = LOGGED, least: Any = 1
) -> Verdict:
    names = names_of(rows)
    model = fit(cells_of(blocks(rows, names), names)).laid_out(names)
    summing = Summing(weighed(challenger, champion))
    summing.add(blocks(rows, names), names, model)
    return weigh(summing.done(), challenger, champion, least)


@pytest.mark.thorough
def test_the_better_one_passes_and_the_worse_one_doesn_t() -> None:
    assert true_value(LOGGED, BETTER) > true_value(LOGGED, BY) > true_value(LOGGED, WORSE)
    assert judged(BETTER, BY).promote
    assert judged(BETTER, BETTER).promote
    verdict = judged(WORSE, BETTER)
    assert not verdict.promote
    assert verdict.high < 0
    assert "worse beyond noise" in verdict.reasons[-1]
    truth = true_value(LOGGED, WORSE) - true_value(LOGGED, BETTER)
    assert verdict.low < truth < verdict.high


def test_the_difference_is_the_other_way_round_for_the_other() -> None:
    one, other = judged(WORSE, BETTER), judged(BETTER, WORSE)
    assert (one.difference, one.low, one.high) == pytest.approx((-other.difference, -other.high, -other.low))


def test_a_pair_is_told_apart_more_finely_than_each_by_itself() -> None:
    near = WORLD.policy(8, noise=0.01)
    verdict = judged(near, BETTER)
    alone = verdict.evaluations["challenger"].of("dr")
    assert verdict.high - verdict.low < 0.3 * (alone.high - alone.low)


def test_the_first_challenger_is_weighed_beside_the_log_s_own_policy() -> None:
    assert judged(BETTER, None).promote
    verdict = judged(WORSE, None)
    assert not verdict.promote
    assert "beside the log's own policy's 0.1" in verdict.reasons[-1]


def test_a_check_that_fails_for_either_keeps_the_champion_and_says_whose() -> None:
    learnt = replace(BETTER, trained_days=("2024-03-01", "2024-03-02"))
    for verdict, whose in ((judged(learnt, BY), "challenger"), (judged(BETTER, learnt), "champion")):
        assert not verdict.promote
        assert verdict.reasons[0].startswith(f"policy {whose} learnt from 2024-03-01 to 2024-03-02")
    verdict = judged(BETTER, BY, least=1e9)
    assert [reason.split(":")[0] for reason in verdict.reasons[:2]] == [
        "policy challenger",
        "policy champion",
    ]
    assert not verdict.promote


def test_the_bound_notices_a_loss_where_it_can() -> None:
    assert bound(0.13, 0.0) == 1.96
    for share in (0.001, 0.003, 0.0055, 0.00597):  # a loss of 2% is beyond the bound by 1.645 errors
        error = share * 0.13
        assert 0.02 * 0.13 - bound(0.13, error) * error >= 1.645 * error - 1e-12
    assert bound(0.13, 0.01) == 1.7
