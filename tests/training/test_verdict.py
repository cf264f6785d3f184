"""Whether trees beat logistic regression beyond noise: on known truths, in words, and what follows."""

from __future__ import annotations

import numpy as np
import pytest
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from test_kernel import evaluated

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.dataset.provenance import fingerprint
from pozytywka_spark.errors import UsageError
from pozytywka_spark.evaluation import metric_sums, trees_or_logistic
from pozytywka_spark.evaluation.metrics import Evaluation
from pozytywka_spark.evaluation.trees_or_logistic import as_plain, chosen_kind, compare, verdict_text

ROWS, REPLICATES = 4000, 200


def world(log_odds: np.ndarray, values: np.ndarray, replicates: int = REPLICATES) -> dict[str, Evaluation]:
    """Trees and a line fitted on one half of the rows, evaluated on the other; two rows a user."""
    drawn = np.random.default_rng(5)
    label = (drawn.random(ROWS) < 1 / (1 + np.exp(-log_odds))).astype(float)
    half = ROWS // 2
    parameters = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.2, "seed": 1}
    trees = xgboost.train(parameters, xgboost.DMatrix(values[:half], label[:half]), 60)
    line = LogisticRegression().fit(values[:half], label[:half])
    weight = metric_sums.user_weights(np.arange(half) // 2, 7, 0, replicates + 1)
    scores = {
        "xgboost test": trees.predict(xgboost.DMatrix(values[half:])).astype(float),
        "logistic test": line.predict_proba(values[half:])[:, 1],
    }
    return {name: evaluated(score, label[half:], weight) for name, score in scores.items()}


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    return np.random.default_rng(4).normal(size=(ROWS, 6))


@pytest.fixture(scope="module")
def linear(values: np.ndarray) -> dict[str, Evaluation]:
    return world(-1 + 0.8 * values[:, 0] - 0.6 * values[:, 1], values)


@pytest.fixture(scope="module")
def crossed(values: np.ndarray) -> dict[str, Evaluation]:
    return world(-1 + 1.5 * np.sign(values[:, 0] * values[:, 1]) + 0.3 * values[:, 2], values)


def preferring(settings: Settings) -> Settings:
    training = settings.training.model_copy(update={"prefer_simple": True})
    return settings.model_copy(update={"training": training})


def test_trees_win_where_two_features_cross(crossed: dict[str, Evaluation], settings: Settings) -> None:
    found = compare(crossed, settings.gate)
    assert found.outcome == trees_or_logistic.BEAT
    assert chosen_kind(found, preferring(settings)) == chosen_kind(found, settings) == "xgboost"
    told = verdict_text(as_plain(found), prefer_simple=False)
    assert told.startswith("trees beat logistic regression: ROC AUC +0.")
    assert told.endswith(", better in 100.0%)")
    assert told == verdict_text(as_plain(found), prefer_simple=True)


def test_a_line_is_registered_where_the_truth_is_one_and_it_is_preferred(
    linear: dict[str, Evaluation], settings: Settings
) -> None:
    found = compare(linear, settings.gate)
    assert found.outcome != trees_or_logistic.BEAT
    assert chosen_kind(found, settings) == "xgboost"
    assert chosen_kind(found, preferring(settings)) == "logistic"


def test_the_numbers_are_those_of_the_paired_replicates(
    linear: dict[str, Evaluation], settings: Settings
) -> None:
    found = compare(linear, settings.gate)
    trees, line = (linear[f"{kind} test"].replicates["roc_auc"] for kind in ("xgboost", "logistic"))
    paired = (trees - line)[1:]
    assert found.difference == pytest.approx(trees[0] - line[0])
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(paired, (0.025, 0.975))))
    assert found.share == (paired > 0).mean()
    # pairing takes out the noise that both share
    assert found.high - found.low < np.ptp(np.quantile(trees[1:], (0.025, 0.975)))


def test_pairs_are_of_the_same_rows_and_draws() -> None:
    drawn = np.random.default_rng(0)
    label = (drawn.random(500) < 0.3).astype(float)
    weight = metric_sums.user_weights(np.arange(500) // 2, 3, 0, 60)
    scores = [drawn.random(500) * 0.5 + 0.4 * label, drawn.random(500)]
    found = [evaluated(score, label, weight) for score in scores]
    for place in (0, 1, 59):
        expected = [roc_auc_score(label, score, sample_weight=weight[place]) for score in scores]
        assert [each.replicates["roc_auc"][place] for each in found] == pytest.approx(expected)


def pair(difference: np.ndarray, metric: str = "roc_auc") -> dict[str, Evaluation]:
    zero = np.zeros_like(difference)
    return {
        "xgboost test": Evaluation({}, {metric: difference}),
        "logistic test": Evaluation({}, {metric: zero}),
    }


def gate_of(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update={"gate": settings.gate.model_copy(update=changes)})


@pytest.mark.parametrize(
    ("exact", "centre", "changes", "told"),
    [
        (0.012, 0.012, {}, r"trees beat logistic regression: ROC AUC \+0\.012 "
         r"\(95% of paired replicates \+0\.00\d to \+0\.0\d\d, better in (99|100)\.\d%\)$"),
        (-0.002, -0.002, {}, r"trees do not beat logistic regression beyond noise: ROC AUC -0\.002 "
         r"\(95% of paired replicates -0\.00\d to \+0\.00\d, better in \d\d?\.\d%\); "
         r"the simpler model would be registered with training\.prefer_simple=true$"),
        (-0.02, -0.02, {}, "do not beat logistic regression, it beats them beyond noise: ROC AUC -0.020"),
        # a lead that the replicates don't share is none, nor one the other way
        (0.001, -0.02, {}, "trees do not beat logistic regression beyond noise: "),
        (0.012, 0.012, {"confidence": 0.995}, r"ROC AUC \+0\.012 \(99% of paired replicates"),
        (-0.012, -0.012, {"metric": "log_loss"}, r"trees beat logistic regression: log loss "
         r"\(lower is better\) -0\.0120 \(95% of paired replicates -0\.0\d{3} to -0\.0\d{3}, better in"),
        (0.012, 0.012, {"metric": "brier"}, "beats them beyond noise: Brier score (lower is better) +0.0120"),
    ],
)  # fmt: skip
def test_the_sentence_says_who_wins_by_how_much_and_how_surely(
    settings: Settings, exact: float, centre: float, changes: dict[str, object], told: str
) -> None:
    import re

    drawn = np.random.default_rng(0).normal(centre, 0.003, 400)
    chosen = gate_of(settings, **changes)
    found = compare(pair(np.concatenate([[exact], drawn]), chosen.gate.metric), chosen.gate)
    sentence = verdict_text(as_plain(found), prefer_simple=False)
    assert re.search(told, sentence) or told in sentence, sentence


def test_the_sentence_says_what_was_done(settings: Settings) -> None:
    found = compare(pair(np.zeros(101)), settings.gate)
    told = verdict_text(as_plain(found), prefer_simple=True)
    assert told.endswith("; the simpler model is registered, for training.prefer_simple=true")
    assert "better in 0.0%" in told


def test_too_few_replicates_and_an_undefined_metric_say_so(settings: Settings) -> None:
    few = compare(pair(np.full(20, 0.1)), settings.gate)
    assert few.outcome == trees_or_logistic.UNKNOWN
    assert verdict_text(as_plain(few), prefer_simple=False) == (
        "whether trees beat logistic regression beyond noise can't be told from 19 replicates: "
        "ROC AUC +0.100; evaluation.bootstrap=40 or more would tell"
    )
    assert (
        compare(pair(np.full(1, 0.1)), settings.gate).outcome == trees_or_logistic.UNKNOWN
    )  # no replicates at all
    none = compare(pair(np.full(101, np.nan)), settings.gate)
    assert "ROC AUC isn't defined on the test months" in verdict_text(as_plain(none), prefer_simple=False)
    assert trees_or_logistic.metrics_of(none) == {}


def test_the_preference_and_what_decides_by_it_ask_for_another_training(settings: Settings) -> None:
    """The gate's metric by itself, too: the dossier compares the two by it."""
    each = (settings, gate_of(settings, metric="log_loss"), preferring(settings))
    assert len({identity(one) for one in each}) == len(each)


def identity(settings: Settings) -> str:
    return fingerprint(settings, ["a"], "catalogue", "content")


def test_a_preference_that_can_not_be_decided_is_refused() -> None:
    with pytest.raises(
        UsageError, match=r"evaluation\.bootstrap must be at least 40 for gate\.confidence=0\.975"
    ):
        load_settings("local", ["training.prefer_simple=true", "evaluation.bootstrap=39"])
    load_settings("local", ["training.prefer_simple=true", "evaluation.bootstrap=40"])
    with pytest.raises(UsageError, match="must be at least 200"):
        load_settings(
            "local", ["training.prefer_simple=true", "evaluation.bootstrap=100", "gate.confidence=0.995"]
        )
