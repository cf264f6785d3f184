"""Trees on the training table: byte by byte those of the library alone; settings reach the trees."""

from __future__ import annotations

import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
import xgboost
from threadpoolctl import threadpool_info, threadpool_limits

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.questions import Here
from pozytywka_spark.dataset.table import TrainingTable
from pozytywka_spark.errors import UsageError
from pozytywka_spark.models.booster import load
from pozytywka_spark.models.threads import threads_of
from pozytywka_spark.models.tree_parameters import tree_parameters
from pozytywka_spark.spark.resources import Plan
from pozytywka_spark.training.estimators import FittedTrees, fit_trees
from pozytywka_spark.training.fit_and_measure import fit_both
from pozytywka_spark.training.linear import fit_logistic
from pozytywka_spark.training.single_task import Task, binned, grow
from tests.worlds.known_hazard import LAST, TEST_FROM, VALIDATION_FROM, hazard_rows, training_table
from tests.worlds.trained import settings_in

ORDER = tuple(f"x{place}" for place in range(9))


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return hazard_rows(ORDER, users=600)


@pytest.fixture(scope="module")
def table(rows: pd.DataFrame) -> TrainingTable:
    return training_table(rows, ORDER)


def fitted(table: TrainingTable, settings: Settings, base_rate: float = 0.13) -> FittedTrees:
    question = partial(fit_trees, settings=settings, plan=Plan(1, 1, "one"), base_rate=base_rate)
    return Here(table).ask([question])[0]


def plainly(rows: pd.DataFrame, parameters: dict[str, object], trees: int) -> xgboost.Booster:
    """What one would write with the library alone, the rows by user and month."""
    rows = rows.sort_values(["user_id", "month"])
    train = rows[rows["month"] < VALIDATION_FROM]
    validation = rows[(rows["month"] >= VALIDATION_FROM) & (rows["month"] < TEST_FROM)]
    how = {"max_bin": parameters["max_bin"], "nthread": 1}
    known = xgboost.QuantileDMatrix(train[list(ORDER)].to_numpy(), train["buys"], **how)
    held_out = xgboost.QuantileDMatrix(
        validation[list(ORDER)].to_numpy(), validation["buys"], ref=known, **how
    )
    return xgboost.train(
        {**parameters, "objective": "binary:logistic", "nthread": 1},
        known,
        trees,
        evals=[(known, "training"), (held_out, "validation")],
        early_stopping_rounds=15,
        verbose_eval=False,
    )


@pytest.mark.thorough
def test_the_trees_are_those_of_the_library_alone(
    rows: pd.DataFrame, table: TrainingTable, settings: Settings
) -> None:
    settings = settings_in(settings.home, "training.max_trees=90")
    found = fitted(table, settings)
    plain = plainly(rows, tree_parameters(settings, ORDER, 1.0), 90)
    assert plain.best_iteration + 1 == found.trees < found.trees_tried
    assert plain.best_score == pytest.approx(found.validation_loss[found.trees - 1], abs=1e-12)
    cut = plain[: found.trees]
    cut.feature_names = list(ORDER)
    assert bytes(cut.save_raw("ubj")) == found.booster
    assert len(found.train_loss) == len(found.validation_loss) == found.trees_tried
    assert found.gains == cut.get_score(importance_type="total_gain")


def test_the_question_travels_to_a_task_and_the_answer_back(table: TrainingTable, settings: Settings) -> None:
    few = settings_in(settings.home, "training.max_trees=5")
    question = partial(fit_both, settings=few, plan=Plan(1, 1, "one"), base_rate=0.13)
    sent = pickle.loads(pickle.dumps(question))
    (logistic, _), grown = pickle.loads(pickle.dumps(sent(table)))
    assert grown[0] == fitted(table, few)
    assert logistic == fit_logistic(table, few)
    assert len(pickle.dumps(grown)) < 20_000
    across = partial(fit_both, settings=few, plan=Plan(2, 1, "two", across=True), base_rate=0.13)
    assert across(table)[1] is None


@pytest.mark.thorough
def test_models_that_are_fitted_beside_each_other_are_those_fitted_alone(
    table: TrainingTable, settings: Settings
) -> None:
    few, plan = settings_in(settings.home, "training.max_trees=5"), Plan(1, 2, "two threads")
    (logistic, _), grown = fit_both(table, few, plan, 0.13)
    assert grown is not None
    assert grown[0] == fit_trees(table, few, plan, 0.13)
    assert logistic == fit_logistic(table, few, 2)


def test_weights_and_constraints_reach_the_trees(
    rows: pd.DataFrame, table: TrainingTable, settings: Settings
) -> None:
    name = ORDER[5]  # the truth rises with it
    more = ["training.positive_weight=balanced", f"training.monotone={{{name}: -1}}", "training.max_trees=12"]
    base_rate = float(table.of("train").label.mean())
    found = fitted(table, settings_in(settings.home, *more), base_rate)
    assert found.positive_weight == pytest.approx((1 - base_rate) / base_rate)
    booster = load(found.booster)
    test = rows[(rows["month"] >= TEST_FROM) & (rows["month"] < LAST)]
    scores = booster.predict(xgboost.DMatrix(test[list(ORDER)]))
    assert scores.mean() == pytest.approx(0.5, abs=0.1)  # a positive weighs as much as all its negatives
    grid = test[list(ORDER)].head(1).loc[lambda row: row.index.repeat(50)]
    grid[name] = np.linspace(-3, 3, 50)
    assert (np.diff(booster.predict(xgboost.DMatrix(grid))) <= 1e-7).all()


def test_a_constraint_on_no_feature_is_refused(table: TrainingTable, settings: Settings) -> None:
    wrong = settings_in(settings.home, "training.monotone={nonsense: 1}")
    with pytest.raises(UsageError, match=r"training\.monotone: no such feature: nonsense"):
        fitted(table, wrong)


def test_trees_grow_with_the_threads_of_the_plan_where_spark_allows_one(
    table: TrainingTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers run under OMP_NUM_THREADS=1, above which XGBoost's own nthread can't go."""
    few = table.where(np.arange(len(table)) < 300)
    task = Task({"objective": "binary:logistic", "eval_metric": "logloss", "max_bin": 64}, 3, 3, threads=2)
    seen: list[int] = []
    train = xgboost.train

    def watched(*args: object, **named: object) -> xgboost.Booster:
        seen.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp")
        return train(*args, **named)

    monkeypatch.setattr(xgboost, "train", watched)
    with threadpool_limits(1, user_api="openmp"), threads_of(2):
        grown = grow(binned(few.of("train"), few.of("validation"), 2, task.max_bin), task)
    assert set(seen) == {2}
    assert len(grown.validation_loss) == 3
