"""A big group's trees: as `fit.fit` grows them, by workers that wait for each other at barriers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from pyspark.sql import DataFrame
from pyspark.sql import types as T

from pozytywka_spark.factory.across.roles import ALL, NO_FOLD, Part, Rows, categories_of_group
from pozytywka_spark.factory.fit import BINS, FOLDS, PATIENCE, PLAIN, as_matrix, drawn
from pozytywka_spark.lake.tasks import TaskFiles, Tasks
from pozytywka_spark.models.spark_trees import ThreadedXGBClassifier
from pozytywka_spark.spark.resources import Plan, describe_cluster

_LABEL, _HELD = "label", "is_held"


@dataclass(frozen=True)
class TrainingRows:
    """A worker's parts as rows of numbers: features in their order, label, whether its fold is held out."""

    rows: Rows
    held: int

    def __call__(self, item: tuple[Part, ...], files: TaskFiles) -> Iterator[pl.DataFrame]:
        """A frame a part."""
        categories = categories_of_group(self.rows.texts, self.rows.words, files)
        for part in item:
            fold = files.read([part.roles], ["fold"]).get_column("fold")
            said = files.read([part.facts], ["verdict", "looked"])
            matrix = as_matrix(files.read([part.features]), self.rows.features, categories)
            used = (fold != NO_FOLD).to_numpy()
            verdict, looked = said.get_column("verdict").to_numpy(), said.get_column("looked").to_numpy()
            label = np.where(looked >= 0, looked, verdict)[used].astype(np.float64)
            columns = {name: matrix[used, place] for place, name in enumerate(_names(self.rows.features))}
            held = (fold == self.held).to_numpy()[used]
            yield pl.DataFrame({**columns, _LABEL: label, _HELD: held}).cast({pl.Float32: pl.Float64})


@dataclass(frozen=True)
class GrownAcross:
    """Models (XGBoost's JSON) by the fold that they haven't seen, ALL for the one of all cases."""

    models: Mapping[int, bytes]
    rounds: int
    loss: float


def grow(tasks: Tasks, rows: Rows, plan: Plan, *, rounds: int, seed: int, trials: int) -> GrownAcross:
    """By cross-validation the number of trees, with `trials` the parameters too; then trees on all cases."""
    shares = [tuple(rows.parts[worker :: plan.workers]) for worker in range(plan.workers)]
    frames = {held: _frame(tasks, shares, rows, held) for held in (*range(FOLDS), ALL)}
    tried = []
    for each in drawn(trials, seed):
        parameters = {**PLAIN, **each}
        grown = [_held_out(frames[held], rows, plan, parameters, rounds, seed) for held in range(FOLDS)]
        tried.append((float(np.mean([loss for _, _, loss in grown])), parameters, grown))
    loss, parameters, grown = min(tried, key=lambda one: one[0])
    many = max(1, round(float(np.median([trees for _, trees, _ in grown]))))
    models = {held: model for held, (model, _, _) in enumerate(grown)}
    booster = _estimator(frames[ALL], rows, plan, parameters, many, seed).fit(frames[ALL]).get_booster()
    return GrownAcross({**models, ALL: _saved(booster)}, many, loss)


def _held_out(
    frame: DataFrame, rows: Rows, plan: Plan, parameters: Mapping[str, float], rounds: int, seed: int
) -> tuple[bytes, int, float]:
    """Trees that the held fold found best, their number, and its loss."""
    stopping = {"validation_indicator_col": _HELD, "early_stopping_rounds": PATIENCE}
    model = _estimator(frame, rows, plan, {**parameters, **stopping}, rounds, seed).fit(frame)
    losses = model.training_summary.validation_objective_history["logloss"]
    best = int(np.argmin(losses)) + 1
    return _saved(model.get_booster()[:best]), best, float(losses[best - 1])


def _estimator(
    frame: DataFrame, rows: Rows, plan: Plan, parameters: Mapping[str, Any], rounds: int, seed: int
) -> ThreadedXGBClassifier:
    estimator = ThreadedXGBClassifier(
        features_col=_names(rows.features),
        label_col=_LABEL,
        missing=float("nan"),
        num_workers=plan.workers,
        n_estimators=rounds,
        verbose=False,
        tree_method="hist",
        eval_metric="logloss",
        max_bin=BINS,
        seed=seed,
        **parameters,
    )
    cluster = describe_cluster(frame.sparkSession)
    estimator.threads, estimator.task_cpus, estimator.local = plan.threads, cluster.task_cpus, cluster.local
    return estimator


def _frame(tasks: Tasks, shares: Sequence[tuple[Part, ...]], rows: Rows, held: int) -> DataFrame:
    """A partition a worker, each of the parts that are its own."""
    numbers = [T.StructField(name, T.DoubleType()) for name in (*_names(rows.features), _LABEL)]
    schema = T.StructType([*numbers, T.StructField(_HELD, T.BooleanType())])
    return tasks.frame(shares, TrainingRows(rows, held), schema)


def _names(features: Sequence[str]) -> list[str]:
    """Names that Spark keeps apart; a feature may be called anything."""
    return [f"x{place}" for place in range(len(features))]


def _saved(booster: Any) -> bytes:
    booster.feature_names = None  # as in models that one task makes: features go by their order
    booster.feature_types = None
    return bytes(booster.save_raw("json"))
