"""Reasons: exact, additive, ordered, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
import xgboost
from pyspark.sql import SparkSession

from pozytywka_spark.models.booster import load, with_margin
from pozytywka_spark.scoring.reasons import Words, reasons_of
from pozytywka_spark.scoring.stage import score
from pozytywka_spark.tracking.registry import load_model
from pozytywka_spark.tracking.store import connect
from tests.worlds.known_hazard import LAST
from tests.worlds.trained import Trained

WORDS = Words(
    ("ads", "rate", "likes"),
    ("adverts heard", "skips per play", "likes"),
    (" events", "", " events"),
    (True, False, False),
)


def test_reasons_are_the_strongest_first_in_words() -> None:
    matrix = np.array([[12.0, np.nan, 3.0], [0.0, 0.256, 1.0]])
    contributions = np.array([[0.5, -0.75, 0.1], [0.0, 0.25, -0.25]])
    assert reasons_of(matrix, contributions, WORDS, 2).to_pylist() == [
        [
            {
                "feature": "rate",
                "contribution": -0.75,
                "value": None,
                "text": "skips per play: unknown (lowers the chance)",
                "actionable": False,
            },
            {
                "feature": "ads",
                "contribution": 0.5,
                "value": 12.0,
                "text": "adverts heard: 12 events (raises the chance)",
                "actionable": True,
            },
        ],
        [
            {
                "feature": "rate",
                "contribution": 0.25,
                "value": 0.256,
                "text": "skips per play: 0.26 (raises the chance)",
                "actionable": False,
            },
            {
                "feature": "likes",
                "contribution": -0.25,
                "value": 1.0,
                "text": "likes: 1 events (lowers the chance)",
                "actionable": False,
            },
        ],
    ]
    assert reasons_of(matrix, np.zeros((2, 3)), WORDS, 2).to_pylist() == [[], []]


def test_reasons_of_groups_name_the_group_played_most() -> None:
    """Where it is known, and of no other reason."""
    words = replace(
        WORDS, meanings=("adverts heard", "share in favourite groups", "likes"), grouped=(False, True, False)
    )
    matrix = np.array([[12.0, 0.5, 3.0], [0.0, 0.25, 1.0], [1.0, 0.25, 1.0]])
    contributions = np.array([[0.5, -0.75, 0.0], [0.0, 0.25, -0.25], [0.0, 0.25, 0.0]])
    groups = pa.array(["jazz, soul", "rock", None])
    found = reasons_of(matrix, contributions, words, 2, groups).to_pylist()
    assert [[reason["text"] for reason in row] for row in found] == [
        [
            "share in favourite groups: 0.5, mostly jazz, soul (lowers the chance)",
            "adverts heard: 12 events (raises the chance)",
        ],
        [
            "share in favourite groups: 0.25, mostly rock (raises the chance)",
            "likes: 1 events (lowers the chance)",
        ],
        ["share in favourite groups: 0.25 (raises the chance)"],
    ]
    assert (
        reasons_of(matrix, contributions, words, 2)
        .to_pylist()[1][0]["text"]
        .endswith("groups: 0.25 (raises the chance)")
    )


def test_contributions_add_up_to_the_margin(trained: Trained, spark: SparkSession) -> None:
    model = load_model(connect(trained.settings))
    month = trained.lake.read("features", partitions=[{"month": LAST}])
    found = with_margin(month, model.predictor, model.features, ["user_id"], contributions=True).toPandas()
    sums = np.stack(list(found["contributions"])).sum(axis=1)
    np.testing.assert_allclose(sums, found["margin"], atol=1e-5)
    assert len(found["contributions"].iloc[0]) == len(trained.order) + 1


def test_written_reasons_are_plain_xgboosts_contributions(trained: Trained, spark: SparkSession) -> None:
    month = date(2022, 11, 1)
    score(spark, trained.settings, trained.lake, month)
    found = trained.lake.read("predictions", partitions=[{"month": month}]).toPandas().set_index("user_id")
    rows = trained.rows[trained.rows["month"] == month]
    model = load_model(connect(trained.settings))
    matrix = xgboost.DMatrix(rows[list(trained.order)])
    expected = load(model.predictor.content()).predict(matrix, pred_contribs=True)
    for user, contributions in zip(rows["user_id"], expected, strict=True):
        reasons = found.loc[user, "reasons"]
        assert 1 <= len(reasons) <= trained.settings.scoring.reasons
        order = np.argsort(-np.abs(contributions[:-1]), kind="stable")[: len(reasons)]
        assert [reason["feature"] for reason in reasons] == [trained.order[place] for place in order]
        assert [reason["contribution"] for reason in reasons] == pytest.approx(contributions[order], abs=1e-6)


def test_margins_and_contributions_agree_on_missing_values(trained: Trained) -> None:
    model = load_model(connect(trained.settings))
    matrix = np.full((3, len(trained.order)), np.nan)
    matrix[1] = 0.0
    np.testing.assert_allclose(
        model.predictor.contributions(matrix).sum(axis=1), model.predictor.margins(matrix), atol=1e-5
    )
    null, zero, _ = model.predictor.margins(matrix)
    assert null != zero
