"""The gate: right decisions in simulation, and each way to be refused."""

from __future__ import annotations

import numpy as np
import pytest
from test_kernel import evaluated

from pozytywka_spark.config import Settings
from pozytywka_spark.evaluation import metric_sums
from pozytywka_spark.evaluation.metrics import Evaluation
from pozytywka_spark.promotion.gate import calibration_holds, collapsed_slices, decide, decide_alone
from pozytywka_spark.promotion.gate_margins import Advantage, what_would_change


def sigmoid(value: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-value))


def two_models(drawn: np.random.Generator, lost: tuple[float, float], users: int = 300) -> list[Evaluation]:
    """Champion and challenger; each knows the truth up to noise of the given deviations. Two rows a user."""
    logit = np.repeat(drawn.normal(-2.0, 1.0, users), 2)
    label = (drawn.random(2 * users) < sigmoid(logit)).astype(float)
    weight = metric_sums.user_weights(np.repeat(np.arange(users), 2), int(drawn.integers(10**6)), 0, 101)
    return [
        evaluated(
            sigmoid(-2 + (logit + 2 + drawn.normal(0, noise, 2 * users)) / (1 + noise**2)), label, weight
        )
        for noise in lost
    ]


def promoted(settings: Settings, lost: tuple[float, float], draws: int) -> float:
    drawn = np.random.default_rng(4)
    found = []
    for _ in range(draws):
        champion, challenger = two_models(drawn, lost)
        found.append(decide(challenger, champion, {}, settings).promote)
    return float(np.mean(found))


@pytest.mark.thorough
def test_equal_models_are_rarely_promoted(settings: Settings) -> None:
    assert promoted(settings, (0.7, 0.7), 80) <= 0.05


@pytest.mark.thorough
def test_clearly_better_models_are_promoted(settings: Settings) -> None:
    assert promoted(settings, (1.5, 0.3), 200) >= 0.9


@pytest.mark.thorough
def test_worse_models_never_are(settings: Settings) -> None:
    assert promoted(settings, (0.3, 1.2), 30) == 0.0


def test_a_better_but_miscalibrated_challenger_is_kept_out(settings: Settings) -> None:
    champion, challenger = two_models(np.random.default_rng(1), (1.5, 0.2))
    assert decide(challenger, champion, {}, settings).promote
    skewed = [{**row, "predicted": min(row["predicted"] * 2, 1)} for row in challenger.bins]
    error = float(np.average([abs(row["predicted"] - row["observed"]) for row in skewed]))
    wrong = Evaluation({**challenger.metrics, "calibration_error": error}, challenger.replicates, skewed)
    refused = decide(wrong, champion, {}, settings)
    assert not refused.promote
    assert "is beyond" in refused.reasons[1]


def test_a_calibrated_model_passes_however_few_rows_there_are(settings: Settings) -> None:
    drawn = np.random.default_rng(0)
    passed = []
    for rows in (100, 300, 1000, 5000):
        for _ in range(25):
            score = sigmoid(drawn.normal(-2, 1, rows))
            label = (drawn.random(rows) < score).astype(float)
            passed.append(calibration_holds(evaluated(score, label, np.ones((1, rows))), settings.gate)[0])
    assert np.mean(passed) >= 0.98


def slice_of(auc: float, positives: int) -> Evaluation:
    return Evaluation({"roc_auc": auc, "positives": positives, "rows": 500.0}, {})


@pytest.mark.parametrize(
    ("after", "positives", "collapsed"),
    [
        (0.55, 50, ["city: Radom from 0.700 to 0.550"]),
        (0.61, 50, []),  # a drop within what is allowed
        (0.55, 3, []),  # too few to judge
    ],
)
def test_a_collapsed_slice_is_named(after: float, positives: int, collapsed: list[str]) -> None:
    slices = {
        "champion city: Radom": slice_of(0.70, positives),
        "challenger city: Radom": slice_of(after, positives),
        "champion": slice_of(0.9, 50),
        "challenger": slice_of(0.1, 50),
    }
    assert collapsed_slices(slices, 10, 0.1) == collapsed


def test_a_collapsed_slice_keeps_the_champion(settings: Settings) -> None:
    champion, challenger = two_models(np.random.default_rng(1), (1.5, 0.2))
    slices = {"champion month: 2023-01": slice_of(0.8, 50), "challenger month: 2023-01": slice_of(0.5, 50)}
    refused = decide(challenger, champion, slices, settings)
    assert not refused.promote
    assert refused.reasons[2] == "slices collapsed: month: 2023-01 from 0.800 to 0.500"
    assert refused.changes[-1].startswith("the slice month: 2023-01 from 0.800 to 0.500 would have to lose")


def test_what_would_change_the_decision_is_told_in_numbers(settings: Settings) -> None:
    drawn = np.random.default_rng(1)
    worse, better = two_models(drawn, (1.5, 0.3))
    lost, won = decide(worse, better, {}, settings), decide(better, worse, {}, settings)
    assert (lost.promote, won.promote) == (False, True)
    assert "the challenger is behind by" in lost.changes[0]
    assert "is beyond noise; below about" in won.changes[0]
    assert "could rise from" in won.changes[1]
    same = decide(better, better, {}, settings)
    assert "nothing to choose between" in same.changes[0]
    noise = np.random.default_rng(2).normal(0, 0.01, 2000)
    close = what_would_change(Advantage("roc_auc", 0.01, noise + 0.01, 0.975), better, settings.gate, [])
    needed = float(-np.quantile(noise - noise.mean(), 0.025))
    assert f"would have to be about {needed:.4f}" in close[0]
    assert f"on about {(needed / 0.01) ** 2:.1f} times as many users" in close[0]
    assert needed == pytest.approx(0.0196, abs=0.001)  # two standard errors


def test_where_the_champion_can_not_score_the_challenger_must_know_something(settings: Settings) -> None:
    good = two_models(np.random.default_rng(1), (1.0, 0.2))[1]
    assert decide_alone(good, settings.gate).promote
    drawn = np.random.default_rng(3)
    label = (drawn.random(600) < 0.2).astype(float)
    weight = metric_sums.user_weights(np.arange(600), 1, 0, 101)
    ignorant = evaluated(0.2 + 0.001 * drawn.random(600), label, weight)
    assert not decide_alone(ignorant, settings.gate).promote
