"""One group's trees: tuned by cross-validation over witnesses, grown by plain XGBoost in one thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.factory.proof.binomial import Floats, Whole
from pozytywka_spark.models.booster import explain, margins

FOLDS = 3
BINS = 512  # a bin of a percent of the rows would blur just what 99% depends on
PATIENCE = 8  # trees that may go by without a better one
PLAIN: Mapping[str, float] = {"learning_rate": 0.15, "max_depth": 4, "min_child_weight": 3, "reg_lambda": 1.0}
Matrix = npt.NDArray[np.float32]
Categories = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Fitted:
    """`model`: XGBoost's JSON; `out_of_fold`: of each training row the score by trees that didn't see it."""

    model: bytes
    out_of_fold: Floats
    rounds: int
    loss: float


def categories_of(rows: pl.DataFrame, features: Sequence[str]) -> dict[str, list[str]]:
    """The words of each feature that isn't a number, in their order: a word's place stands for it."""
    return {
        name: sorted(rows.get_column(name).drop_nulls().unique().to_list())
        for name in features
        if rows.schema[name] == pl.String
    }


def as_matrix(rows: pl.DataFrame, features: Sequence[str], categories: Categories) -> Matrix:
    """Features in their order; null, and a word that training never saw, as missing."""
    columns = [
        pl.col(name).replace_strict(
            list(categories[name]), list(range(len(categories[name]))), default=None, return_dtype=pl.Float32
        )
        if name in categories
        else pl.col(name).cast(pl.Float32)
        for name in features
    ]
    return np.ascontiguousarray(rows.select(columns).fill_null(float("nan")).to_numpy(), dtype=np.float32)


def fit(matrix: Matrix, label: Whole, witness: Whole, *, rounds: int, seed: int, trials: int = 0) -> Fitted:
    """Trees on all rows, as many as cross-validation found best; with `trials`, of the best parameters."""
    fold = folds_of(witness, seed)
    tried = [
        _cross_validated(matrix, label, fold, {**PLAIN, **each}, rounds, seed) for each in drawn(trials, seed)
    ]
    loss, many, scores, parameters = min(tried, key=lambda one: one[0])
    booster = _grown(matrix, label, parameters, many, seed)
    return Fitted(bytes(booster.save_raw("json")), scores, many, loss)


def scored(model: bytes, matrix: Matrix) -> Floats:
    """The probability of being bad, as the model has it."""
    return np.asarray(1.0 / (1.0 + np.exp(-margins(model, matrix.astype(np.float64)))))


def within_reach(out_of_fold: Floats, tested: Floats, fewest: int) -> Floats:
    """Out-of-fold scores, none beyond what at least so many of the tested ones reach at either end.

    Trees that didn't see a fold may be surer than those of all cases ever are. A threshold learnt there would
    decide no tested case, or too few to prove anything, and end the proof before it began.
    """
    if len(tested) < 2 * fewest:
        return out_of_fold
    ordered = np.sort(tested)
    return np.clip(out_of_fold, ordered[fewest - 1], ordered[-fewest])


def reasons(model: bytes, matrix: Matrix, features: Sequence[str], top: int = 3) -> list[list[str]]:
    """The features that moved each row's score most, by tree SHAP."""
    parts = np.abs(explain(model, matrix.astype(np.float64), 1)[:, :-1])
    order = np.argsort(-parts, axis=1, kind="stable")[:, :top]
    return [[features[place] for place in row] for row in order]


def drawn(trials: int, seed: int) -> list[dict[str, float]]:
    """The plain parameters, and others at random around them."""
    rng = np.random.default_rng(seed)
    around = [
        {
            "learning_rate": float(np.exp(rng.uniform(np.log(0.03), np.log(0.3)))),
            "max_depth": int(rng.integers(2, 8)),
            "min_child_weight": float(np.exp(rng.uniform(0, np.log(20)))),
            "reg_lambda": float(np.exp(rng.uniform(np.log(0.1), np.log(20)))),
        }
        for _ in range(trials)
    ]
    return [{}, *around]


def folds_of(witness: Whole, seed: int) -> Whole:
    """A fold of each row; rows of one witness are in one."""
    owners, place = np.unique(witness, return_inverse=True)
    folds = np.arange(len(owners)) % FOLDS
    np.random.default_rng(seed).shuffle(folds)
    return np.asarray(folds[place], dtype=np.int64)


def _settings(parameters: Mapping[str, float], seed: int) -> dict[str, Any]:
    return {
        **parameters,
        "objective": "binary:logistic",
        "eval_metric": "logloss",
        "tree_method": "hist",
        "max_bin": BINS,
        "nthread": 1,
        "seed": seed,
    }


def _cross_validated(
    matrix: Matrix, label: Whole, fold: Whole, parameters: Mapping[str, float], rounds: int, seed: int
) -> tuple[float, int, Floats, Mapping[str, float]]:
    import xgboost

    scores, best, losses = np.zeros(len(label)), [], []
    for number in range(FOLDS):
        held = fold == number
        if not held.any() or len(np.unique(label[~held])) < 2:
            scores[held] = label[~held].mean() if (~held).any() else 0.5
            continue
        train = xgboost.QuantileDMatrix(matrix[~held], label[~held], nthread=1, max_bin=BINS)
        check = xgboost.QuantileDMatrix(matrix[held], label[held], ref=train, nthread=1, max_bin=BINS)
        booster = xgboost.train(
            _settings(parameters, seed),
            train,
            rounds,
            evals=[(check, "held")],
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
        )
        best.append(booster.best_iteration + 1)
        losses.append(booster.best_score)
        scores[held] = booster.predict(check, iteration_range=(0, booster.best_iteration + 1))
    many = max(1, round(float(np.median(best)))) if best else 1
    return float(np.mean(losses)) if losses else np.inf, many, scores, parameters


def _grown(matrix: Matrix, label: Whole, parameters: Mapping[str, float], rounds: int, seed: int) -> Any:
    import xgboost

    rows = xgboost.QuantileDMatrix(matrix, label, nthread=1, max_bin=BINS)
    return xgboost.train(_settings(parameters, seed), rows, rounds, verbose_eval=False)
