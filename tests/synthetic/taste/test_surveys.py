"""Answers: what was done, as events say; and the weights that they were made with come out of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pozytywka_spark.config import Synthetic
from pozytywka_spark.synthetic.catalogue import catalogue_of
from pozytywka_spark.synthetic.taste.surveys import HOURS, surveys_of
from tests.worlds.synthetic import events_table, planned

WORLD = Synthetic.model_validate({"users": 1000, "months": 7, "taste": {"on": True, "surveys": 4000}})


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    plan = planned(WORLD)
    parts = [surveys_of(plan, chunk) for chunk in range(plan.chunks)]
    table = pd.DataFrame(
        {name: np.concatenate([part[name] for part in parts]) for name in parts[0] if name != "done"}
    )
    done = np.concatenate([part["done"] for part in parts])
    return table.assign(**dict(zip(("finish", "skip", "like", "again"), done.T, strict=True)))


@pytest.mark.thorough
def test_there_are_as_many_as_asked_for_each_once_and_all_from_1_to_5(answers: pd.DataFrame) -> None:
    assert len(answers) == 4000
    assert not answers.duplicated(["user_id", "track", "asked_ms"]).any()
    assert set(answers.answer) == {1, 2, 3, 4, 5}
    assert answers.groupby("user_id").size().max() <= 8


@pytest.mark.thorough
def test_what_was_done_is_what_events_say_of_the_day_before(answers: pd.DataFrame) -> None:
    ids = catalogue_of(planned(WORLD)).tracks["id"]
    events = events_table(WORLD, planned(WORLD).chunks)
    of_user = dict(iter(events.groupby("user_id")))
    for row in answers.sample(150, random_state=1).itertuples():
        asked = pd.Timestamp(row.asked_ms, unit="ms")
        mine = of_user[row.user_id]
        mine = mine[
            (mine.track == ids[row.track])
            & (mine.time < asked)
            & (mine.time >= asked - pd.Timedelta(hours=HOURS))
        ].kind.value_counts()
        plays, skips, likes = (int(mine.get(kind, 0)) for kind in ("PLAY", "SKIP", "LIKE"))
        assert (row.finish, row.skip, row.like, row.again) == (plays > skips, skips > 0, likes > 0, plays > 1)


@pytest.mark.thorough
def test_within_person_the_answers_hold_the_weights(answers: pd.DataFrame) -> None:
    heads = ["finish", "skip", "like", "again"]
    values = answers[["answer", *heads]].astype(float)
    within = values - values.groupby(answers.user_id).transform("mean")
    slopes = np.linalg.lstsq(within[heads].to_numpy(), within.answer.to_numpy(), rcond=None)[0]
    known = np.array(WORLD.taste.survey_weights)
    np.testing.assert_allclose(slopes / slopes[0], known / known[0], rtol=0.2)
