"""Gradient-boosted trees grown on the training table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.table import TrainingTable
from pozytywka_spark.errors import UsageError
from pozytywka_spark.models.booster import Trees
from pozytywka_spark.models.threads import threads_of
from pozytywka_spark.models.tree_parameters import positive_weight, tree_parameters
from pozytywka_spark.names import TRAIN, VALIDATION
from pozytywka_spark.spark.resources import Plan
from pozytywka_spark.training.single_task import Grown, Task, binned, grow


@dataclass(frozen=True)
class FittedTrees:
    """A booster cut to its best iteration, as native UBJ, with how its log loss fell."""

    booster: bytes
    trees: int
    trees_tried: int
    train_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]
    gains: Mapping[str, float]
    positive_weight: float

    @property
    def predictor(self) -> Trees:
        """What serves."""
        return Trees(self.booster, self.trees)


def fit_trees(table: TrainingTable, settings: Settings, plan: Plan, base_rate: float) -> FittedTrees:
    """Boosted trees on the train side, stopped on the validation side's log loss.

    The same rows and threads give the same trees, byte by byte. The booster is cut after its best iteration:
    no reader can use the trees that overfit. A plan across executors is `across_executors.fit_across`'s.
    """
    weight = positive_weight(settings, base_rate)
    task = as_task(table.order, settings, plan.threads, weight)
    with threads_of(task.threads):
        rows = binned(table.of(TRAIN), table.of(VALIDATION), task.threads, task.max_bin)
        return cut(grow(rows, task), table.order, weight)


def as_task(order: Sequence[str], settings: Settings, threads: int, weight: float) -> Task:
    """How trees grow on one machine. Raises `UsageError` for a constraint on a feature that isn't there."""
    refuse_unknown(settings, order)
    return Task(
        parameters={**tree_parameters(settings, order, weight), "objective": "binary:logistic"},
        rounds=settings.training.max_trees,
        patience=settings.training.early_stopping_rounds,
        threads=threads,
    )


def refuse_unknown(settings: Settings, order: Sequence[str]) -> None:
    """Raises `UsageError` for a constraint on a feature that isn't there."""
    unknown = sorted(set(settings.training.monotone) - set(order))
    if unknown:
        raise UsageError(f"training.monotone: no such feature: {', '.join(unknown)}")


def cut(grown: Grown, order: Sequence[str], weight: float) -> FittedTrees:
    """The trees up to the best iteration, under the features' names."""
    booster = grown.booster[: grown.best]
    booster.feature_names = list(order)
    return FittedTrees(
        booster=bytes(booster.save_raw("ubj")),
        trees=grown.best,
        trees_tried=grown.booster.num_boosted_rounds(),
        train_loss=grown.train_loss,
        validation_loss=grown.validation_loss,
        gains={name: float(gain) for name, gain in booster.get_score(importance_type="total_gain").items()},
        positive_weight=weight,
    )
