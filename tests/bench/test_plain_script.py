"""The script chooses what the pipeline chooses by default, or the two couldn't be compared."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from pozytywka_spark.config import load_settings
from pozytywka_spark.evaluation.metric_sums import parts, ranked, user_weights
from pozytywka_spark.evaluation.metrics import finish
from pozytywka_spark.models.tree_parameters import tree_parameters
from pozytywka_spark.months import months_between, split_months
from tests.bench import plain_models, plain_script
from tests.bench.bench_pipeline import _MODEL, _SIDE, _STAGE
from tests.bench.plain_models import Rows


def test_its_parameters_are_the_defaults() -> None:
    settings = load_settings("local", [])
    assert {
        **tree_parameters(settings, (), weight=1.0),
        "objective": "binary:logistic",
    } == plain_models.PARAMETERS
    chosen = settings.training
    assert (chosen.max_trees, chosen.early_stopping_rounds) == (plain_models.TREES, plain_models.PATIENCE)
    assert chosen.positive_weight == 1.0
    assert chosen.logistic_reg_param == plain_models.REGULARISATION
    assert {settings.split.validation_months, settings.split.test_months} == {plain_models.HELD_MONTHS}
    assert settings.evaluation.bootstrap == plain_models.REPLICATES
    assert settings.label.horizon_days == plain_script.HORIZON_DAYS


@pytest.mark.parametrize("horizon_days", [14, 30, 45])
@pytest.mark.parametrize("last", [date(2022, 11, 1), date(2023, 2, 1), date(2024, 3, 1)])
def test_its_split_is_the_pipelines(last: date, horizon_days: int) -> None:
    months = months_between(date(2021, 6, 1), last)
    ours = split_months(months, 2, 2, horizon_days)
    assert ours is not None
    theirs = plain_models.split_of(months[::-1], horizon_days)
    assert (theirs.train, theirs.validation, theirs.test) == (ours.train, ours.validation, ours.test)


def test_its_metrics_are_the_pipelines() -> None:
    drawn = np.random.default_rng(3)
    score = drawn.random(400)  # whole shares of the rows, without ties: nothing to be counted pro rata
    label = (drawn.random(400) < score**2).astype(np.float64)
    user = np.arange(400)
    pos_neg_sums = parts(ranked(score, label), user_weights(user, 7, 0, 1))
    ours = finish(pos_neg_sums.pop("pos"), pos_neg_sums.pop("neg"), pos_neg_sums).metrics
    theirs = plain_models.metrics(label, score)
    renamed = {name.replace("%", "pct"): value for name, value in theirs.items()}
    assert {name: ours[name] for name in renamed} == pytest.approx(renamed, rel=1e-12)


@pytest.mark.thorough
def test_replicates_draw_users_with_all_of_their_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_models, "REPLICATES", 40)
    drawn = np.random.default_rng(4)
    score = drawn.random(300)
    label = (drawn.random(300) < score).astype(np.float64)
    matrix = np.empty((300, 0))
    apart = plain_models.with_intervals(Rows(np.arange(300), matrix, label), score)
    twice = plain_models.with_intervals(
        Rows(np.repeat(np.arange(300), 2), np.empty((600, 0)), np.repeat(label, 2)), np.repeat(score, 2)
    )
    for name in ("roc_auc", "pr_auc", "log_loss", "brier"):  # a row twice is no second user
        assert twice[name] == pytest.approx(apart[name], rel=1e-9)
        value, low, high = apart[name]
        assert low < value < high


def test_what_the_pipeline_prints_is_read() -> None:
    shown = (
        "▸ train done in 8.7 s: version 1, champion: 1\n"
        "side        months               rows  positives\n"
        "train       2022-01 to 2022-08  2,567        336\n"
        "validation  2022-09                  564         64\n"
        "models on the test months\n"
        "logistic   0.7325  0.2414    0.3144  0.0909   0.0362   2.3425  0.678-0.783\n"
        "xgboost    0.7348  0.2679    0.3098  0.0898   0.0294   2.3288  0.679-0.789\n"
        "stages\n"
        "stage        seconds  outcome\n"
        "start Spark      4.9\n"
        "train           65.9  version 1, champion: 1\n"
    )
    assert _SIDE.findall(shown) == [("train", "2,567", "336"), ("validation", "564", "64")]
    assert _MODEL.findall(shown) == [("logistic", "0.7325"), ("xgboost", "0.7348")]
    assert _STAGE.findall(shown) == [("start Spark", "4.9"), ("train", "65.9")]


@pytest.mark.parametrize(("text", "size"), [("4GB", 4 * 2**30), ("512MB", 512 * 2**20)])
def test_sizes_are_read(text: str, size: int) -> None:
    assert plain_script.bytes_of(text) == size
