"""What rules of addressing users would have brought, against counting by hand in pandas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pozytywka_spark.config import load_settings
from pozytywka_spark.dataset.table import TrainingTable
from pozytywka_spark.evaluation.decisions import decision_table, for_console
from pozytywka_spark.evaluation.scores import histogram


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    drawn = np.random.default_rng(3)
    score = np.round(drawn.beta(1, 9, 800), 4)
    frame = pd.DataFrame({"score": score, "label": (drawn.random(800) < score).astype(float)})
    frame["month"] = np.where(np.arange(800) % 2 == 0, "2023-01-01", "2023-02-01")
    return frame.head(700)


@pytest.fixture(scope="module")
def counts(rows: pd.DataFrame) -> pd.DataFrame:
    table = TrainingTable(
        order=(),
        user_id=np.arange(len(rows)),
        month=rows["month"].to_numpy("datetime64[D]"),
        side=np.full(len(rows), 2, np.uint8),
        label=rows["label"].to_numpy(),
        matrix=np.empty((len(rows), 0), np.float32),
    )
    return histogram(table, rows["score"].to_numpy())


def test_the_histogram_holds_every_row_once(counts: pd.DataFrame, rows: pd.DataFrame) -> None:
    by_cell = rows.groupby(["month", np.floor(rows["score"] * 10_000).astype(int)])
    expected = by_cell.agg(users=("label", "size"), buyers=("label", "sum"), expected=("score", "sum"))
    expected = expected.rename_axis(["month", "step"]).reset_index()
    expected["month"] = expected["month"].str[:7]
    pd.testing.assert_frame_equal(counts, expected, check_dtype=False)


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
    test = rows.reset_index(drop=True)
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
