"""What rules of addressing users would have brought, against counting by hand in pandas."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import load_settings
from pozytywka_spark.training.decisions import decision_table, for_console, histogram


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    drawn = np.random.default_rng(3)
    score = np.round(drawn.beta(1, 9, 800), 4)
    frame = pd.DataFrame({"score": score, "label": (drawn.random(800) < score).astype(float)})
    frame["month"] = np.where(np.arange(800) % 2 == 0, date(2023, 1, 1), date(2023, 2, 1))
    frame["side"] = np.where(np.arange(800) < 700, "test", "validation")
    return frame


@pytest.fixture(scope="module")
def counts(spark: SparkSession, rows: pd.DataFrame) -> pd.DataFrame:
    frame = spark.createDataFrame(
        [tuple(row) for row in rows.itertuples(index=False)],
        "xgboost double, label double, month date, side string",
    )
    return histogram(frame)


def test_the_histogram_holds_every_test_row_once(counts: pd.DataFrame, rows: pd.DataFrame) -> None:
    test = rows[rows["side"] == "test"]
    assert counts["users"].sum() == len(test)
    assert counts["buyers"].sum() == test["label"].sum()
    assert counts["expected"].sum() == pytest.approx(test["score"].sum())
    assert set(counts["month"]) == {"2023-01", "2023-02"}


@pytest.mark.parametrize(
    "policy",
    [
        ["scoring.policy.kind=budget", "scoring.policy.budget_users=40"],
        ["scoring.policy.kind=precision", "scoring.policy.precision=0.2"],
    ],
)
def test_rules_equal_counting_by_hand(
    counts: pd.DataFrame, rows: pd.DataFrame, tmp_path: Path, policy: list[str]
) -> None:
    money = ["scoring.policy.value_of_sale=30", "scoring.policy.cost_of_contact=4"]
    settings = load_settings(
        "local", [f"home={tmp_path}", "evaluation.thresholds=[0.1,0.25]", *money, *policy]
    )
    table = decision_table(counts, settings)
    test = rows[rows["side"] == "test"].reset_index(drop=True)
    falling = test.sort_values("score", ascending=False)
    running = falling.groupby("month")["score"].expanding().mean().reset_index(level=0, drop=True)
    rank = falling.groupby("month").cumcount()
    lowest = falling["score"].where(running >= 0.2).groupby(falling["month"]).transform("min")
    expected = {
        "probability from 0.1": test["score"] >= 0.1,
        "probability from 0.25": test["score"] >= 0.25,
        "pays for itself (from 0.1333)": test["score"] * 30 >= 4,
        "policy: best 40 a month": (rank < 40).reindex(test.index),
        "policy: expected precision 0.2": (falling["score"] >= lowest).reindex(test.index),
    }
    assert len(table) == 4
    for row in table:
        chosen = test[expected[row["rule"]]]
        exact = not row["rule"].startswith("policy: best")  # ties at the edge of a budget count in part
        users, buyers = len(chosen), chosen["label"].sum()
        assert row["users"] == users
        assert row["precision"] == pytest.approx(buyers / users, abs=1e-9 if exact else 0.03)
        assert row["recall"] == pytest.approx(buyers / test["label"].sum(), abs=1e-9 if exact else 0.03)
        assert row["expected"] == pytest.approx(chosen["score"].mean(), abs=1e-4)
        if exact:
            assert row["value"] == pytest.approx(30 * buyers - 4 * users)
            assert row["lift"] == pytest.approx(buyers / users / test["label"].mean())
    assert list(for_console(table)[0]) == ["rule", "users", "buyers", "precision", "recall", "value"]


def test_a_rule_that_nobody_meets_has_no_precision(counts: pd.DataFrame, tmp_path: Path) -> None:
    settings = load_settings("local", [f"home={tmp_path}", "evaluation.thresholds=[0.9999]"])
    row = decision_table(counts, settings)[0]
    assert (row["users"], row["buyers"], row["precision"], row["lift"], row["value"]) == (
        0,
        0,
        None,
        None,
        0.0,
    )
