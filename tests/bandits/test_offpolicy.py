"""What another policy would have brought: by hand, beside `decide`, over shards, and refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.bandits import offpolicy
from pozytywka_spark.bandits.decide import probabilities
from pozytywka_spark.bandits.offpolicy.blocks import blocks, names_of
from pozytywka_spark.bandits.offpolicy.estimates import evaluation_of
from pozytywka_spark.bandits.offpolicy.evaluate import UNIFORM_POLICY, evaluate
from pozytywka_spark.bandits.offpolicy.over_shards import buckets_of, sums_over
from pozytywka_spark.bandits.offpolicy.reward_model import RewardModel, cells_of, fit
from pozytywka_spark.bandits.offpolicy.shard_work import AsLogged
from pozytywka_spark.bandits.offpolicy.sums import Summing, Sums
from pozytywka_spark.bandits.offpolicy.target import Target
from pozytywka_spark.bandits.policy import Policy, parse_policy
from pozytywka_spark.errors import DataError
from pozytywka_spark.hashing.identity import user_bucket
from tests.bandits.made_offpolicy import ANY, BY, ONLY_B, SMALL, WORLD, log
from tests.bandits.message_logs import MessageWorld, drawn_log, true_value
from tests.in_memory import MemoryTasks


def figures(rows: Any, policy: Any, settings: Any = ANY) -> offpolicy.Evaluation:
    """What is said, or would be if it weren't refused: logs by hand are too small to be believed."""
    try:
        return evaluate(rows, policy, settings)
    except offpolicy.RefusedError as refused:
        return refused.evaluation


def test_ips_and_snips_and_their_intervals_by_hand() -> None:
    found = figures(SMALL, ONLY_B)
    ips, snips = found.of("ips"), found.of("snips")
    weights = np.array([0, 2, 4, 2, 0, 2.5])
    assert ips.value == pytest.approx((2 + 2) / 6)
    assert snips.value == pytest.approx(4 / 10.5)
    assert ips.effective_sample == pytest.approx(10.5**2 / (weights**2).sum())
    assert (ips.largest_weight_share, ips.mean_weight, ips.decisions) == pytest.approx(
        (4 / 10.5, 10.5 / 6, 6)
    )
    # by user: Σ w r - value x decisions
    by_user = np.array([2 - 2 * 2 / 3, 0 - 2 / 3, 2 - 2 * 2 / 3, 0 - 2 / 3]) / 6
    reach = 3.182446305 * np.sqrt((by_user**2).sum() * 4 / 3)  # Student's with 3 degrees
    assert (ips.low, ips.high) == pytest.approx((ips.value - reach, ips.value + reach))
    against = found.of("ips", "log")
    assert against.value == pytest.approx(4 / 6 - 3 / 6)
    assert (found.first_day, found.last_day, found.policy) == (date(2024, 3, 1), date(2024, 3, 1), "fixed")
    uniform = np.array([1, 1, 2, 1, 0.625, 1.25])
    rewards = np.array([0, 1, 0, 1, 1, 0])
    assert found.of("ips", "uniform").value == pytest.approx(4 / 6 - (uniform * rewards).mean())


def test_pandas_and_polars_and_either_settings_say_the_same() -> None:
    from pozytywka_spark.config import load_settings

    settings = load_settings("local", ["bandits.min_effective=1"])
    assert figures(SMALL.to_pandas(), parse_policy(ONLY_B), settings) == figures(SMALL, ONLY_B)


@pytest.mark.thorough
@given(st.integers(0, 10_000), st.sampled_from(["recovering_softmax", "fixed", "seasonal", "uniform"]))
def test_a_target_s_probabilities_are_those_of_decide(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    policy = _any_policy(kind, rng)
    rows = []
    for _ in range(6):
        eligible = rng.permutation(["a", "b", "c", "d"])[: rng.integers(1, 5)].tolist()
        days = [None if rng.random() < 0.4 else float(rng.exponential(9)) for _ in eligible]
        rows.append(
            {
                "user_id": 1,
                "group": [None, "g", "h"][rng.integers(3)],
                "eligible": eligible,
                "days_since": days,
                "chosen": eligible[0],
            }
        )
    schema = {"group": pl.String(), "days_since": pl.List(pl.Float64())}
    asked = pl.DataFrame(rows, schema_overrides=schema).with_row_index("row")
    names = names_of(asked)
    seen = 0
    for block in blocks(asked, names):
        target = Target(policy, names).probabilities(block)
        for mine, row in zip(target, block.rows.iter_rows(named=True), strict=True):
            since = dict(zip(row["eligible"], row["days_since"], strict=True))
            told = probabilities(policy, group=row["group"], eligible=row["eligible"], days_since=since)
            assert mine == pytest.approx(list(told.values()), abs=1e-12)
            seen += 1
    assert seen == 6


def _any_policy(kind: str, rng: np.random.Generator) -> Policy:
    arms = ["b", "a", "d", "c"]
    table = {group: dict(zip(arms, rng.dirichlet([0.3] * 4), strict=True)) for group in ("", "g")}
    document: dict[str, Any] = {"kind": kind, "explore": 0.1}
    if kind == "recovering_softmax":
        document |= {
            "scores": {arm: {"": rng.normal(), "g": rng.normal()} for arm in arms},
            "recency": {"gamma": 0.5, "half_life_days": 4.0},
            "temperature": 0.3,
        }
    elif kind != "uniform":
        document["table" if kind == "seasonal" else "probabilities"] = table
    return parse_policy(document)


def test_days_since_null_as_a_whole_are_worked_out_from_the_log() -> None:
    rows = log([(1, "a", 0.5, 0.0), (2, "b", 0.5, 0.0), (1, "b", 0.5, None), (1, "a", 0.5, 1.0)])
    rows = rows.with_columns(days_since=pl.lit(None, pl.List(pl.Float64)))
    from pozytywka_spark.bandits.offpolicy.prepare import prepared

    made = prepared(rows, UNIFORM_POLICY, ANY)
    hour = 1 / 24
    expected = [
        [None, None],
        [None, None],
        [3 * hour, hour],
    ]  # the immature decision has shown b all the same
    assert made.get_column("days_since").to_list() == [pytest.approx(each) for each in expected]


def test_the_policy_that_made_the_log_is_valued_at_its_mean() -> None:
    rows = drawn_log(WORLD, BY, 300, 3)
    found = evaluate(rows, BY, ANY)
    mean = rows.get_column("reward").mean()
    assert [found.of(each).value for each in ("ips", "snips")] == pytest.approx([mean] * 2)
    assert found.of("dr").low < mean < found.of("dr").high
    assert found.of("dr", "log").value == pytest.approx(0, abs=1e-12)
    assert found.of("ips").effective_sample == pytest.approx(rows.height)


@pytest.mark.thorough
def test_dr_is_no_wider_than_snips_and_all_are_near_the_truth() -> None:
    target = WORLD.policy(6, noise=0.0)
    for seed in range(4):
        rows = drawn_log(WORLD, BY, 1_500, seed)
        found, truth = evaluate(rows, target, ANY), true_value(rows, target)
        for against in ("", "log", "uniform"):
            dr, snips = found.of("dr", against), found.of("snips", against)
            assert dr.high - dr.low <= (snips.high - snips.low) * (1 + 1e-9)
        for each in ("ips", "snips", "dr"):
            one = found.of(each)
            error = (one.high - one.low) / (2 * 1.96)
            assert abs(one.value - truth) < 4 * error


def test_the_reward_model_finds_effects_and_is_fitted_on_other_users() -> None:
    rows = drawn_log(MessageWorld.drawn(1, spread=0.4), UNIFORM_POLICY, 4_000, 1, even=True)
    names = names_of(rows)
    cells = cells_of(blocks(rows, names), names)
    assert cells.get_column("rounds").sum() == rows.height
    assert cells.get_column("reward").sum() == rows.get_column("reward").sum()
    model = fit(cells)
    told, true = [], []
    for block in blocks(rows, names):
        told.append(model.laid_out(names).expected(block).ravel())
        true.append(block.rows.get_column("expected").explode().to_numpy())
    assert np.corrcoef(np.concatenate(told), np.concatenate(true))[0, 1] > 0.8
    others = fit(cells.with_columns(reward=pl.when(pl.col("fold") == 2).then(0.0).otherwise("reward")))
    by_fold = np.abs(others.by_group - model.by_group).max(axis=(1, 2))
    assert by_fold.argmin() == 2  # its own users' rewards moved it by no more than the choice of a penalty


def test_a_model_survives_its_frames_and_knows_what_it_never_met() -> None:
    rows = drawn_log(WORLD, BY, 200, 1)
    names = names_of(rows)
    model = fit(cells_of(blocks(rows, names), names))
    again = RewardModel.of_frames(*model.frames())
    assert again.names == model.names
    assert np.array_equal(again.by_group, model.by_group)
    assert np.array_equal(again.by_days, model.by_days)
    wider = model.laid_out(type(names)(("new", *names.arms), names.groups))
    assert wider.by_group[:, :, 0] == pytest.approx(model.by_group.mean(axis=2))
    assert np.array_equal(wider.by_group[:, :, 1:], model.by_group)


def test_sums_over_shards_are_those_of_the_whole_log() -> None:
    rows = drawn_log(WORLD, BY, 400, 7, days=4).with_columns(stream=pl.lit("explore"))
    target = WORLD.policy(6)
    policies = [target, UNIFORM_POLICY]
    tasks = MemoryTasks()
    bucketed = rows.with_columns(
        day=pl.col("decided_at").dt.date(), user_bucket=user_bucket(pl.col("user_id"), 3)
    )
    files = [
        tasks.files.put_file(part.drop("day", "user_bucket"), {"day": day, "user_bucket": bucket})
        for (day, bucket), part in bucketed.group_by("day", "user_bucket")
    ]
    buckets = buckets_of(files, date(2024, 3, 1), date(2024, 3, 3))
    assert [len(bucket.days) for bucket in buckets] == [3, 3, 3]
    sums = sums_over(tasks, buckets, AsLogged("prompt"), policies)
    mine = rows.filter(pl.col("decided_at").dt.date() <= date(2024, 3, 3))
    whole = evaluate(mine, target, ANY, name="x")
    parts = evaluation_of(sums, 0, "x", [("uniform", 1)])
    assert parts.by_day == whole.by_day
    for one, other in zip(parts.estimates, whole.estimates, strict=True):
        assert (one.value, one.low, one.high) == pytest.approx(
            (other.value, other.low, other.high), abs=1e-12
        )
        assert (one.effective_sample, one.decisions) == pytest.approx(
            (other.effective_sample, other.decisions)
        )
    assert parts.streams == whole.streams
    assert parts.streams[0].value == pytest.approx(mine.get_column("reward").mean())
    assert [ran[0] for ran in tasks.ran] == ["slot_decisions, bucket 0 of users"] * 2


def test_no_mature_decision_of_the_slot_is_one_line() -> None:
    tasks = MemoryTasks()
    rows = drawn_log(WORLD, BY, 20, 7, days=1)
    file = tasks.files.put_file(rows, {"day": date(2024, 3, 1), "user_bucket": 0})
    buckets = buckets_of([file], date(2024, 3, 1), date(2024, 3, 1))
    with pytest.raises(DataError, match="none of these days is mature"):
        sums_over(tasks, buckets, AsLogged("another"), [BY])


def _sums_of(rows: pl.DataFrame) -> Sums:
    names = names_of(rows)
    model = fit(cells_of(blocks(rows, names), names)).laid_out(names)
    summing = Summing([UNIFORM_POLICY])
    summing.add(blocks(rows, names), names, model)
    return summing.done()


def test_facts_of_sums_say_it_all() -> None:
    sums = _sums_of(drawn_log(WORLD, BY, 50, 7))
    again = Sums.told(sums.facts())
    assert again.facts() == sums.facts()
    assert evaluation_of(again, 0, "x", []) == evaluation_of(sums, 0, "x", [])


def test_an_arm_that_the_policy_doesn_t_know_is_out_of_its_choice() -> None:
    rows = SMALL.with_columns(
        eligible=pl.lit(None, pl.List(pl.String)), days_since=pl.lit(None, pl.List(pl.Float64))
    )
    only_a = {"kind": "fixed", "probabilities": {"": {"a": 1.0}}}
    assert figures(rows, only_a).of("ips").value == pytest.approx(1.25 / 6)


def test_a_log_that_says_all_arms_over_shards() -> None:
    world = MessageWorld(WORLD.effects, rare=0)
    rows = drawn_log(world, BY, 300, 7, days=2)
    tasks = MemoryTasks()
    nothing = {"eligible": pl.lit(None, pl.List(pl.String)), "days_since": pl.lit(None, pl.List(pl.Float64))}
    never = pl.col("days_since").list.eval(pl.lit(None, pl.Float64))
    told = []
    for each in (rows.with_columns(**nothing), rows.with_columns(days_since=never)):
        file = tasks.files.put_file(each, {"day": date(2024, 3, 1), "user_bucket": 0})
        buckets = buckets_of([file], date(2024, 3, 1), date(2024, 3, 1))
        told.append(sums_over(tasks, buckets, AsLogged("prompt"), [WORLD.policy(6), UNIFORM_POLICY]).facts())
    assert told[0] == told[1]
