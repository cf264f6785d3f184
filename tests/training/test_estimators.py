"""Trees on Spark: one worker, two workers and the library alone agree; settings reach the trees."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xgboost
from known_hazard import hazard_rows, training_frame
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.metrics import log_loss, roc_auc_score
from threadpoolctl import threadpool_info, threadpool_limits
from trained import Trained, settings_in

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.training import one_task, record
from pozytywka_spark.training.booster import load
from pozytywka_spark.training.estimators import FittedTrees, fit_trees, tree_parameters
from pozytywka_spark.training.folds import Fit, one_a_task, one_at_a_time
from pozytywka_spark.training.planner import Plan
from pozytywka_spark.training.prepare import prepare, read_rows
from pozytywka_spark.training.shipped import shipped
from pozytywka_spark.training.splits import MonthCount, TimeSplit

ORDER = tuple(f"x{place}" for place in range(9))
EXACT = ["training.subsample=1", "training.colsample_bytree=1", "training.max_trees=12"]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return hazard_rows(ORDER, users=600)


@pytest.fixture(scope="module")
def frame(spark: SparkSession, rows: pd.DataFrame) -> DataFrame:
    return training_frame(spark, rows, ORDER).persist()


def fitted(frame: DataFrame, settings: Settings, workers: int) -> FittedTrees:
    return fit_trees(frame, ORDER, settings, Plan(workers, 1, "as the test says"), 0.13)


def by_side(frame: DataFrame) -> dict[str, pd.DataFrame]:
    found = frame.toPandas().sort_values(["user_id", "month"])
    return {side: found[found["side"] == side] for side in ("train", "validation", "test")}


def structure(booster: bytes) -> pd.DataFrame:
    return load(booster).trees_to_dataframe()


def test_one_worker_gives_the_trees_of_the_library_alone(frame: DataFrame, settings: Settings) -> None:
    settings = settings_in(settings.home, "training.max_trees=40")
    found = fitted(frame, settings, 1)
    sides = by_side(frame)
    known = xgboost.QuantileDMatrix(sides["train"][list(ORDER)], sides["train"]["label"], nthread=1)
    held_out = xgboost.QuantileDMatrix(
        sides["validation"][list(ORDER)], sides["validation"]["label"], ref=known, nthread=1
    )
    parameters = {**tree_parameters(settings, ORDER, 1.0), "objective": "binary:logistic", "nthread": 1}
    plain = xgboost.train(
        parameters, known, 40, evals=[(held_out, "v")], early_stopping_rounds=15, verbose_eval=False
    )
    assert plain.best_iteration + 1 == found.trees
    assert plain.best_score == pytest.approx(found.validation_loss[found.trees - 1], abs=1e-12)
    pd.testing.assert_frame_equal(
        structure(found.booster), plain[: found.trees].trees_to_dataframe(), check_exact=True
    )


def test_the_trees_are_the_same_however_the_rows_lie(frame: DataFrame, settings: Settings) -> None:
    settings = settings_in(settings.home, "training.max_trees=15")
    scattered = frame.repartition(5, F.xxhash64("user_id", "month")).sortWithinPartitions(F.hash("month"))
    first, again = (fitted(rows, settings, 1) for rows in (frame, scattered))
    assert first.booster == again.booster
    assert first.train_loss == again.train_loss
    assert len(first.train_loss) == len(first.validation_loss) == first.trees_tried


def test_trees_grow_with_the_threads_of_the_plan_where_spark_allows_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Workers run under OMP_NUM_THREADS=1, above which XGBoost's own nthread can't go."""
    drawn = np.random.default_rng(5)
    features = drawn.normal(size=(200, 2)).astype(np.float32)
    keys = {"user_id": np.arange(200), "month": np.full(200, 19_000, dtype=np.int32)}
    label, held_out = (features[:, 0] > 0).astype(float), np.arange(200) % 4 == 0
    batch = pa.record_batch({**keys, "label": label, "held_out": held_out, "features": list(features)})
    parameters = {"objective": "binary:logistic", "eval_metric": "logloss"}
    task = one_task.Task(("x", "y"), "label", "held_out", parameters, 3, 3, threads=2)
    seen: list[int] = []
    train = xgboost.train

    def watched(*args: object, **named: object) -> xgboost.Booster:
        seen.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp")
        return train(*args, **named)

    monkeypatch.setattr(xgboost, "train", watched)
    with threadpool_limits(1, user_api="openmp"):
        [grown] = one_task.grower(task)(one_task.pack(iter([batch])))
    assert set(seen) == {2}
    assert len(grown.column("validation")[0]) == 3


def test_two_workers_agree_with_one_within_noise(frame: DataFrame, settings: Settings) -> None:
    settings = settings_in(settings.home, "training.max_trees=40")
    test = by_side(frame)["test"]
    scores = []
    for workers in (1, 2):
        booster = load(fitted(frame, settings, workers).booster)
        scores.append(booster.predict(xgboost.DMatrix(test[list(ORDER)])))
    aucs = [roc_auc_score(test["label"], score) for score in scores]
    losses = [log_loss(test["label"], score) for score in scores]
    assert (scores[0] != scores[1]).any()  # each samples its own rows
    assert aucs[0] == pytest.approx(aucs[1], abs=0.02)
    assert losses[0] == pytest.approx(losses[1], abs=0.004)
    assert np.corrcoef(scores)[0, 1] > 0.95


def test_two_workers_give_the_same_trees_where_nothing_is_sampled_or_approximated(
    frame: DataFrame, settings: Settings
) -> None:
    """Few distinct values: each worker cuts at every one, and sums hardly depend on who adds."""
    coarse = frame.withColumns({name: F.round(F.col(name) * 2) / 2 for name in ORDER})
    settings = settings_in(settings.home, *EXACT)
    one, two = (structure(fitted(coarse, settings, workers).booster) for workers in (1, 2))
    same = ["Tree", "Node", "ID", "Feature", "Split", "Yes", "No", "Missing"]
    pd.testing.assert_frame_equal(one[same], two[same], check_exact=True)
    np.testing.assert_allclose(one["Gain"], two["Gain"], rtol=1e-4, atol=1e-6)
    assert len(one) > 50


def test_a_fold_gives_the_same_loss_in_one_task_and_on_all_workers(
    spark: SparkSession, frame: DataFrame, rows: pd.DataFrame, settings: Settings
) -> None:
    settings = settings_in(settings.home, "training.max_trees=25", "training.positive_weight=balanced")
    months = sorted(rows["month"].unique())
    fold = TimeSplit(tuple(months[:6]), tuple(months[6:8]))
    counts = [MonthCount(month, len(part), int(part["buys"].sum())) for month, part in rows.groupby("month")]
    with shipped(frame, ORDER, str(settings.home), "fold") as address:
        in_task = one_a_task(spark, address, ORDER, counts, explain=True)([Fit(settings, fold)] * 2)
        assert list(Path(settings.home, "_shipped").iterdir())
    assert not list(Path(settings.home, "_shipped").iterdir())
    plan = Plan(1, 1, "one")
    on_workers = one_at_a_time(frame, ORDER, counts, plan, explain=True)([Fit(settings, fold)])
    assert in_task[0].log_loss == in_task[1].log_loss == pytest.approx(on_workers[0].log_loss, abs=1e-9)
    assert in_task[0].trees == on_workers[0].trees
    np.testing.assert_allclose(in_task[0].strengths, on_workers[0].strengths, rtol=1e-4, atol=1e-6)


def test_weights_constraints_and_the_other_label_reach_the_trees(
    trained: Trained, spark: SparkSession
) -> None:
    name = trained.order[5]  # the truth rises with it
    more = ["label.name=buys_ever", "label.allow_censored=true", "training.positive_weight=balanced"]
    settings = settings_in(
        trained.settings.home, *more, f"training.monotone={{{name}: -1}}", "training.max_trees=12"
    )
    planned = read_rows(settings, trained.lake)
    used = planned.rows.persist()
    prepared = prepare(planned, used, settings, trained.lake)
    found = fit_trees(used, planned.order, settings, Plan(1, 1, "one"), prepared.base_rate)
    labels = trained.lake.read("labels").select("user_id", "month", "buys_ever")
    assert used.join(labels, ["user_id", "month"]).filter("label != buys_ever").isEmpty()
    used.unpersist()
    assert found.positive_weight == pytest.approx((1 - prepared.base_rate) / prepared.base_rate)
    booster, test = load(found.booster), trained.rows[trained.rows["month"] >= date(2022, 12, 1)]
    scores = booster.predict(xgboost.DMatrix(test[list(trained.order)]))
    assert scores.mean() == pytest.approx(0.5, abs=0.1)  # a positive weighs as much as all its negatives
    grid = test[list(trained.order)].head(1).loc[lambda row: row.index.repeat(50)]
    grid[name] = np.linspace(-3, 3, 50)
    assert (np.diff(booster.predict(xgboost.DMatrix(grid))) <= 1e-7).all()
    assert any("censored by the end of the data" in note for note in record.notes(prepared, settings))


def test_a_constraint_on_no_feature_is_refused(frame: DataFrame, settings: Settings) -> None:
    wrong = settings_in(settings.home, "training.monotone={nonsense: 1}")
    with pytest.raises(UsageError, match=r"training\.monotone: no such feature: nonsense"):
        fitted(frame, wrong, 1)
