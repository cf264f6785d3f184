"""Trees grown by plain XGBoost on arrays: in this process or in a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pozytywka_spark.dataset.table import TrainingTable

if TYPE_CHECKING:
    import xgboost

_SIDES = ("training", "validation")


@dataclass(frozen=True)
class Task:
    """How to grow: XGBoost's `parameters`, at most `rounds` trees, stopped after `patience` without gain.

    `both_losses`: the train side's log loss is wanted too.
    """

    parameters: Mapping[str, Any]
    rounds: int
    patience: int
    threads: int
    both_losses: bool = True

    @property
    def max_bin(self) -> int:
        """How many values of a feature trees tell apart, at most."""
        return int(self.parameters["max_bin"])


@dataclass(frozen=True)
class Binned:
    """The train side as XGBoost bins it and the validation side as it is, rows by user and month."""

    train: xgboost.QuantileDMatrix
    validation: xgboost.DMatrix


@dataclass(frozen=True)
class Grown:
    """All trees that were grown, and the log loss of both sides after each; train's only if it was wanted."""

    booster: xgboost.Booster
    train_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]

    @property
    def best(self) -> int:
        """How many trees lose least on validation."""
        return int(self.booster.best_iteration) + 1


def binned(train: TrainingTable, validation: TrainingTable, threads: int, max_bin: int) -> Binned:
    """The rows of both sides, the train side's values in at most `max_bin` bins a feature.

    A tree's thresholds are the train side's cuts, so that it makes the same of values as of their bins; of
    bins each tree would look the values up again, which takes a seventh of all the growing.
    """
    import xgboost

    options = {"missing": np.nan, "nthread": threads}
    return Binned(
        xgboost.QuantileDMatrix(train.matrix, train.label, max_bin=max_bin, **options),
        xgboost.DMatrix(validation.matrix, validation.label, **options),
    )


def grow(rows: Binned, task: Task) -> Grown:
    """Trees on the train side, stopped on the validation side's log loss."""
    import xgboost

    losses: dict[str, dict[str, list[float]]] = {}
    watched = [(rows.train, _SIDES[0])] if task.both_losses else []
    booster = xgboost.train(
        {**task.parameters, "nthread": task.threads},
        rows.train,
        task.rounds,
        evals=[*watched, (rows.validation, _SIDES[1])],  # the last one stops it
        early_stopping_rounds=task.patience,
        evals_result=losses,
        verbose_eval=False,
    )
    train, validation = (tuple(losses.get(side, {}).get("logloss", ())) for side in _SIDES)
    return Grown(booster, train, validation)
