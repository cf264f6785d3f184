"""Slots of a made world: what is logged, what it does, and that the truth says so exactly."""

import hashlib
import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Dirt, Settings, Synthetic
from pozytywka_spark.errors import DataError
from pozytywka_spark.synthetic.catalogue import catalogue_of
from pozytywka_spark.synthetic.parts import PARTS, parts_of
from pozytywka_spark.synthetic.slots.entries import entries_of, slots_of
from pozytywka_spark.synthetic.slots.log import lines, truth_lines
from pozytywka_spark.synthetic.world import write_world
from tests.worlds.synthetic import TINY, events_table, planned

CHUNKS = 2
QUIET = Synthetic(users=1000)
MESSAGES = Synthetic.model_validate({"users": 1000, "slots": {"messages": "2022-04", "effect": 0.5}})
SPOTLIGHT = Synthetic.model_validate({"users": 1000, "slots": {"spotlight": "2022-04"}})
# of worlds without slots, as they were before there were any
OLDER = {
    "tiny": (TINY, "04580c51732dea2d735b80c163557caeb1fc470c49b6265f957b013ae425d483"),
    "with everything": (
        TINY.model_copy(
            update={
                "users": 80,
                "dirt": Dirt(null_user_id=0.02, duplicate_row=0.01),
                "fraud": Synthetic.model_validate({"fraud": {"bots": 3, "fans": 4, "hijacked": 3}}).fraud,
                "drift": Synthetic.model_validate({"drift": {"from_month": "2022-03"}}).drift,
            }
        ),
        "510ef717a2fbdca35e9f26a2022703e450e015c9ca5090e17a0b449cdea08d16",
    ),
}


@cache
def logged(world: Synthetic) -> pd.DataFrame:
    """A row a decision, with the truth beside it."""
    plan = planned(world)
    (slot,) = slots_of(plan)
    rows, truths = [], []
    for chunk in range(CHUNKS):
        entries = entries_of(plan, chunk, slot)
        rows += [json.loads(line) for line in lines(entries)]
        truths += [json.loads(line) for line in truth_lines(entries)]
    table = pd.DataFrame(rows).merge(pd.DataFrame(truths), on="decision_id", validate="1:1")
    table["time"] = pd.to_datetime(table.decided_at)
    table["place"] = [row.eligible.index(row.chosen) for row in table.itertuples()]
    table["value"] = [values[place] for values, place in zip(table["values"], table.place, strict=True)]
    return table.sort_values(["user_id", "time"], ignore_index=True)


@cache
def with_purchases() -> pd.DataFrame:
    """Decisions with what came of them: a purchase within a day and before the user's next decision."""
    table = logged(MESSAGES)
    events = events_table(MESSAGES, CHUNKS)
    bought = events[events.kind == "BUY_PREMIUM"].set_index("user_id").time
    following = table.groupby("user_id").time.shift(-1)
    until = (table.time + pd.Timedelta(hours=24)).where(
        following.isna(), np.minimum(table.time + pd.Timedelta(hours=24), following)
    )
    at = table.user_id.map(bought)
    return table.assign(reward=((at >= table.time) & (at < until)).astype(float))


def digest(world: Synthetic) -> str:
    plan = planned(world)
    sha = hashlib.sha256(plan.stamp().encode())
    for entity, make in PARTS.items():
        for part in range(parts_of(plan, entity)):
            sha.update("\n".join(make(plan, part)[0].to_pylist()).encode())
    return sha.hexdigest()


@pytest.mark.thorough
@pytest.mark.parametrize("name", OLDER)
def test_worlds_without_slots_are_what_they_were_to_the_byte_and_the_stamp(name: str) -> None:
    world, before = OLDER[name]
    assert digest(world) == before


@pytest.mark.thorough
def test_what_happens_before_the_first_prompt_and_what_is_played_stays() -> None:
    quiet, prompted = events_table(QUIET, CHUNKS), events_table(MESSAGES, CHUNKS)
    start = "2022-04-01"
    pd.testing.assert_frame_equal(
        *(table[table.time < start].reset_index(drop=True) for table in (quiet, prompted))
    )
    plays = [table[table.kind == "PLAY"].groupby(["user_id", "track"]).size() for table in (quiet, prompted)]
    assert (
        abs(plays[0].sub(plays[1], fill_value=0)).sum() < 0.001 * plays[0].sum()
    )  # the world's end cuts a few


@pytest.mark.thorough
@pytest.mark.parametrize("world", [MESSAGES, SPOTLIGHT])
def test_the_log_is_one_that_can_be_taken_in(world: Synthetic) -> None:
    table = logged(world)
    assert table.decision_id.is_unique
    assert table.time.min() >= pd.Timestamp("2022-04-01")
    assert table.time.max() < pd.Timestamp("2023-03-01")
    np.testing.assert_allclose(table.probabilities.map(sum), 1, atol=1e-12)
    assert [p[place] for p, place in zip(table.probabilities, table.place, strict=True)] == list(
        table.probability
    )
    assert table.probability.min() > 0
    # each arm is chosen as often as its probability says
    expected, spread, seen = {}, {}, table.chosen.value_counts()
    for row in table.itertuples():
        for arm, p in zip(row.eligible, row.probabilities, strict=True):
            expected[arm] = expected.get(arm, 0) + p
            spread[arm] = spread.get(arm, 0) + p * (1 - p)
    assert all(abs(seen[arm] - expected[arm]) < 4 * spread[arm] ** 0.5 for arm in expected)
    assert table.stream.eq("explore").mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.thorough
def test_prompts_go_to_the_free_and_arms_keep_to_their_rules() -> None:
    table = with_purchases()
    assert not table.groupby("user_id").reward.shift().eq(1).any()  # nobody is asked who has bought
    mondays = table.eligible.map(lambda arms: "new_week" in arms)
    assert (mondays == (table.time.dt.dayofweek == 0)).all()
    shown = table.groupby(["user_id", "chosen"]).time.shift()
    since = (table.time - shown) / pd.Timedelta(days=1)
    told = [days[place] for days, place in zip(table.days_since, table.place, strict=True)]
    np.testing.assert_allclose(np.array(told, dtype=float), since)


def test_purchases_come_as_often_as_the_truth_says_by_arm_and_city() -> None:
    table = with_purchases()
    by_arm = [group for _, group in table.groupby("chosen")]
    by_city = [group for _, group in table.groupby("group")]
    for part in [table, *by_arm, *by_city]:
        noise = np.sqrt((part.value * (1 - part.value)).sum())
        assert abs(part.reward.sum() - part.value.sum()) < 4 * noise
    assert table.reward.sum() > 100


def test_values_of_arms_differ_as_effects_and_novelty_say() -> None:
    """-log(1 - value) of two arms of a decision are as their factors are."""
    from pozytywka_spark.synthetic.slots.messages import ARMS, effects
    from pozytywka_spark.synthetic.words import CITIES

    effect = pd.DataFrame(effects(planned(MESSAGES)), index=ARMS, columns=CITIES)
    table = logged(MESSAGES)
    for row in table[table.value > 0].head(300).itertuples():
        load = -np.log1p(-np.array(row.values))
        for arm, days, own in zip(row.eligible, row.days_since, load, strict=True):
            worn = 0.0 if arm == "none" or days is None else 0.2 * 0.5 ** (days / 7)
            assert own / load[0] == pytest.approx(np.exp(effect[row.group][arm] - worn), rel=1e-9)


def test_a_policy_is_worth_by_inverse_probabilities_what_the_truth_says() -> None:
    table = with_purchases()
    true = table["values"].map(np.mean)  # uniform over the eligible
    weight = 1 / (table.eligible.map(len) * table.probability)
    difference = weight * table.reward - true
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(len(table))


@pytest.mark.thorough
def test_who_took_the_spotlight_plays_the_artist_first() -> None:
    table = logged(SPOTLIGHT)
    noise = np.sqrt((table.value * (1 - table.value)).sum())
    assert abs(table.reward.sum() - table.value.sum()) < 4 * noise
    catalogue = catalogue_of(planned(SPOTLIGHT))
    artist = dict(zip(catalogue.tracks["id"], catalogue.artists["id"][catalogue.artist_of], strict=True))
    events = events_table(SPOTLIGHT, CHUNKS)
    first = events[events.kind == "PLAY"].groupby("session_id").track.first().map(artist)
    session = table.decision_id.str.removeprefix("spotlight-").astype(int)
    plays_it = session.map(first) == table.chosen
    assert plays_it[table.reward == 1].all()
    assert plays_it[table.reward == 0].mean() < 0.05


def test_the_spotlight_depends_on_taste_season_and_weekday() -> None:
    from datetime import date

    from pozytywka_spark.synthetic.slots.spotlight import season_factors

    assert season_factors(date(2022, 4, 8)).tolist() == [1.0, 1.8, 1.0, 1.0]  # a Friday before Easter
    assert season_factors(date(2022, 12, 3)).tolist() == [2.0, 1.0, 1.3, 1.0]
    assert season_factors(date(2022, 7, 4)).tolist() == [1.0, 1.0, 1.0, 1.4]
    spread = logged(SPOTLIGHT)["values"].map(lambda values: max(values) / min(values))
    assert spread.median() > 2


def test_logs_stand_beside_the_delivery_and_go_with_their_world(
    spark: SparkSession, settings: Settings, tmp_path: Path
) -> None:
    def world(**slots: str) -> Synthetic:
        chosen = Synthetic.model_validate({"slots": slots}).slots
        return TINY.model_copy(update={"months": 4, "slots": chosen, "truth_paths": 0})

    def write(made: Synthetic) -> None:
        write_world(spark, settings.model_copy(update={"synthetic": made}), f"{tmp_path}/raw", replace=True)

    (tmp_path / "raw_decisions").mkdir()
    (tmp_path / "raw_decisions" / "own.jsonl").write_text("{}")
    with pytest.raises(DataError, match="raw_decisions holds something"):
        write(world(messages="2022-03"))
    (tmp_path / "raw_decisions" / "own.jsonl").unlink()
    both = world(messages="2022-03", spotlight="2022-02")
    write(both)
    plan = planned(both)
    for slot in ("premium_prompt", "spotlight"):
        entries = entries_of(plan, 0, slot)
        for folder, say in ((f"raw_decisions/{slot}", lines), (f"raw_truth/decisions_{slot}", truth_lines)):
            assert (tmp_path / folder / "part-00000.jsonl").read_text("utf-8").splitlines() == say(entries)
    told = json.loads((tmp_path / "raw_truth" / "slots.json").read_text("utf-8"))
    assert set(told) == {"premium_prompt", "spotlight"}
    write(world())
    assert not (tmp_path / "raw_decisions").exists()
