"""Drift, experiment and fraud do what they say, and only that."""

import numpy as np
import pandas as pd
import pytest

from pozytywka_spark.config import Synthetic
from pozytywka_spark.synthetic.life import life_of, plan_of, premium_if
from pozytywka_spark.synthetic.people import people_of
from pozytywka_spark.synthetic.plan import PILOT, Plan
from tests.worlds.synthetic import events_table, planned

CHUNKS = 4
KEYS = ["user_id", "time", "track", "kind", "session_id"]


def with_option(**options: object) -> Synthetic:
    return Synthetic.model_validate({"users": 2000, **options})


def until(events: pd.DataFrame, time: str) -> pd.DataFrame:
    return events[events.time < time].sort_values(KEYS, ignore_index=True)


@pytest.mark.thorough
def test_drift_changes_the_adverts_from_its_month_on() -> None:
    quiet = events_table(with_option(), CHUNKS)
    drifted = events_table(with_option(drift={"from_month": "2022-08", "adverts": 2.0}), CHUNKS)
    pd.testing.assert_frame_equal(until(quiet, "2022-08-01"), until(drifted, "2022-08-01"))

    def adverts_per_play(events: pd.DataFrame) -> float:
        later = events[events.time >= "2022-08-01"].kind.value_counts()
        return float(later.ADVERTISEMENT / later.PLAY)

    assert adverts_per_play(drifted) > 1.15 * adverts_per_play(quiet)


@pytest.mark.thorough
def test_drift_of_the_hazard_changes_purchases_only() -> None:
    quiet = events_table(with_option(), CHUNKS)
    drifted = events_table(
        with_option(drift={"from_month": "2022-08", "adverts": 1.0, "log_hazard": 1.0}), CHUNKS
    )

    def later(events: pd.DataFrame, kind: str) -> int:
        return int(((events.kind == kind) & (events.time >= "2022-08-01")).sum())

    assert later(drifted, "BUY_PREMIUM") > 1.2 * later(quiet, "BUY_PREMIUM")
    assert later(drifted, "PLAY") == pytest.approx(
        later(quiet, "PLAY"), rel=0.001
    )  # the world's end cuts a few


@pytest.mark.thorough
def test_the_experiment_has_the_effect_that_the_truth_says() -> None:
    """Premium at the end among treated and others, against the chances given to each user."""
    world = with_option(experiment={"from_month": "2022-03", "adverts": 0.5, "log_hazard": -0.5})
    plan = planned(world)
    events = events_table(world, CHUNKS)
    buyers = set(events[events.kind == "BUY_PREMIUM"].user_id)
    people = pd.concat(
        pd.DataFrame(
            {
                "treated": (everyone := people_of(plan, chunk)).treated,
                "premium": [user in buyers for user in everyone.user_id],
                "if_treated": premium_if(plan, chunk, treated=True),
                "if_not": premium_if(plan, chunk, treated=False),
            }
        )
        for chunk in range(CHUNKS)
    )
    effect = (people.if_treated - people.if_not).mean()
    assert effect < -0.05
    for treated, group in people.groupby("treated"):
        p = group.if_treated if treated else group.if_not
        assert abs(group.premium.sum() - p.sum()) < 4 * np.sqrt((p * (1 - p)).sum())
    assert people.treated.mean() == pytest.approx(0.5, abs=0.04)


@pytest.mark.thorough
def test_fraud_rings_play_their_tracks_and_never_buy() -> None:
    world = with_option(fraud={"rings": 3, "accounts": 15, "tracks": 4})
    plan = planned(world)
    ring = pd.concat(
        pd.Series((people := people_of(plan, chunk)).ring, index=people.user_id) for chunk in range(CHUNKS)
    )
    assert ring[ring >= 0].value_counts().to_dict() == {0: 15, 1: 15, 2: 15}
    events = events_table(world, CHUNKS)
    plays = events[events.kind == "PLAY"].assign(ring=lambda table: table.user_id.map(ring))
    for _, of_ring in plays[plays.ring >= 0].groupby("ring"):
        assert of_ring.track.value_counts(normalize=True)[:4].sum() > 0.93
    buyers = events[events.kind == "BUY_PREMIUM"].user_id.map(ring)
    assert (buyers == -1).all()


@pytest.mark.thorough
def test_options_leave_the_level_of_the_hazard_alone() -> None:
    options = {"fraud": {"rings": 2}, "drift": {"from_month": "2022-05"}, "dirt": {"broken_json": 0.1}}
    assert plan_of(with_option(**options)).level == planned(with_option()).level


@pytest.mark.thorough
def test_a_rehearsal_is_lived_alike_however_many_users_buyers_and_truths_are_asked_for() -> None:
    taste = {"on": True, "cut_off": "2022-03-05", "paths": 9, "told": 30}
    world = {
        "months": 3,
        "users": 60,
        "premium_share": 0.2,
        "truth_paths": 2,
        "fraud": {"rings": 1, "accounts": 9},
    }
    plan = Plan(Synthetic.model_validate({**world, "taste": taste}))
    lived = [life_of(each, PILOT + 3) for each in (plan.unchanged(), plan.rehearsal())]
    np.testing.assert_array_equal(*(life.load_so_far for life in lived))
    other = Plan(Synthetic.model_validate({"months": 3, "taste": {"on": True}}))
    assert plan.rehearsal() == other.rehearsal()
