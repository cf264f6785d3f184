"""Models and their metrics as a person would write them with scikit-learn and xgboost: no Spark, no lake.

Months, parameters and replicates are those that the pipeline chooses by default; a test holds both equal.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

HELD_MONTHS = 2  # of validation and of test each
REGULARISATION = 0.01
TREES, PATIENCE = 400, 20
PARAMETERS = {
    "objective": "binary:logistic",
    "learning_rate": 0.1,
    "max_depth": 4,
    "min_child_weight": 5.0,
    "subsample": 0.9,
    "colsample_bytree": 0.5,
    "max_bin": 64,
    "reg_lambda": 1.0,
    "scale_pos_weight": 1.0,
    "tree_method": "hist",
    "eval_metric": "logloss",
    "seed": 7,
}
REPLICATES = 200
TOP = (0.01, 0.05, 0.10)

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Rows:
    """A row a user and month: who, features (32-bit floats, NaN as missing), whether they bought (0 or 1)."""

    user_id: Array
    matrix: Array
    label: Array


@dataclass(frozen=True)
class Split:
    """The months of each side, oldest first."""

    train: tuple[date, ...]
    validation: tuple[date, ...]
    test: tuple[date, ...]


def split_of(months: Sequence[date], horizon_days: int) -> Split:
    """The last mature months are the test; months whose labels reach into the next side are on none."""
    ordered = sorted(months)
    test = ordered[-HELD_MONTHS:]
    validation = known_by(test[0], ordered, horizon_days)[-HELD_MONTHS:]
    train = known_by(validation[0], ordered, horizon_days)
    return Split(tuple(train), tuple(validation), tuple(test))


def known_by(later: date, months: Sequence[date], horizon_days: int) -> list[date]:
    """Months before `later` whose buyers are all known at its end."""
    horizon = timedelta(days=horizon_days)
    return [month for month in months if month < later and end_of(month) + horizon <= end_of(later)]


def end_of(month: date) -> date:
    """The first of the month after."""
    return month + timedelta(days=calendar.monthrange(month.year, month.month)[1])


def fit_logistic(train: Rows) -> Pipeline:
    """Standardised, missing values at the mean, L2."""
    strength = 1.0 / (REGULARISATION * len(train.label))
    model = LogisticRegression(C=strength, max_iter=1000)
    return make_pipeline(SimpleImputer(), StandardScaler(), model).fit(train.matrix, train.label)


def grow_trees(train: Rows, validation: Rows, threads: int) -> xgboost.Booster:
    """Boosted trees up to the best on validation."""
    parameters = {**PARAMETERS, "nthread": threads}
    bins = {"max_bin": PARAMETERS["max_bin"], "nthread": threads}
    known = xgboost.QuantileDMatrix(train.matrix, train.label, **bins)
    held_out = xgboost.QuantileDMatrix(validation.matrix, validation.label, ref=known, **bins)
    booster = xgboost.train(
        parameters,
        known,
        TREES,
        evals=[(known, "training"), (held_out, "validation")],
        early_stopping_rounds=PATIENCE,
        verbose_eval=False,
    )
    return booster[: booster.best_iteration + 1]


def probabilities(booster: xgboost.Booster, matrix: Array) -> Array:
    """That a row's user buys."""
    return np.asarray(booster.inplace_predict(matrix, missing=np.nan), dtype=np.float64)


def metrics(label: Array, score: Array, weight: Array | None = None) -> dict[str, float]:
    """ROC AUC, PR AUC, log loss, Brier, and precision and lift of the best 1, 5 and 10% of rows by score."""
    found = {
        "roc_auc": roc_auc_score(label, score, sample_weight=weight),
        "pr_auc": average_precision_score(label, score, sample_weight=weight),
        "log_loss": log_loss(label, score, sample_weight=weight),
        "brier": brier_score_loss(label, score, sample_weight=weight),
    }
    order = np.argsort(-score, kind="stable")
    size = np.ones(len(label)) if weight is None else weight
    taken, bought = np.cumsum(size[order]), np.cumsum((size * label)[order])
    for share in TOP:
        last = np.searchsorted(taken, share * taken[-1])
        precision = bought[last] / taken[last]
        found[f"precision_at_{share:.0%}"] = precision
        found[f"lift_at_{share:.0%}"] = precision / (bought[-1] / taken[-1])
    return {name: float(value) for name, value in found.items()}


def with_intervals(rows: Rows, score: Array, seed: int = 7) -> dict[str, tuple[float, float, float]]:
    """Of each metric its value and a 95% interval: users are drawn anew, each with all of their rows."""
    users, place = np.unique(rows.user_id, return_inverse=True)
    draws = np.random.default_rng(seed)
    replicates = []
    for _ in range(REPLICATES):
        times = np.bincount(draws.integers(len(users), size=len(users)), minlength=len(users))
        replicates.append(metrics(rows.label, score, times[place].astype(np.float64)))
    exact = metrics(rows.label, score)
    drawn = {name: np.percentile([each[name] for each in replicates], (2.5, 97.5)) for name in exact}
    return {name: (value, *map(float, drawn[name])) for name, value in exact.items()}
