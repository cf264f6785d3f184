"""Gradient-boosted trees on Spark, and the names of the three models that are always trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.training import one_task
from pozytywka_spark.training.planner import Cluster, Plan, describe_cluster
from pozytywka_spark.training.predictors import LOGISTIC, XGBOOST, Trees
from pozytywka_spark.training.rows import LABEL, SIDE
from pozytywka_spark.training.splits import TRAIN, VALIDATION
from pozytywka_spark.training.threaded import ThreadedXGBClassifier

MAJORITY = "majority"
MODELS = (MAJORITY, LOGISTIC, XGBOOST)

_HELD_OUT = "is_validation"


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


def fit_trees(
    rows: DataFrame, order: Sequence[str], settings: Settings, plan: Plan, base_rate: float
) -> FittedTrees:
    """Boosted trees on the train side, stopped on the validation side's log loss.

    Rows are sorted by user and month where they are used, so that the same rows give the same trees: in
    one task if the plan has one worker, else on workers by a hash of the user. The booster is cut after
    its best iteration: no reader can use the trees that overfit.
    """
    unknown = sorted(set(settings.training.monotone) - set(order))
    if unknown:
        raise UsageError(f"training.monotone: no such feature: {', '.join(unknown)}")
    weight = positive_weight(settings, base_rate)
    used = rows.filter(F.col(SIDE).isin(TRAIN, VALIDATION)).select(
        *("user_id", "month", LABEL), (F.col(SIDE) == VALIDATION).alias(_HELD_OUT), *order
    )
    cluster = describe_cluster(rows.sparkSession)
    if plan.workers == 1:
        grown = one_task.grow(used, as_task(order, settings, plan, weight), wider_tasks=_wider(plan, cluster))
    else:
        grown = _on_workers(used, _estimator(order, settings, plan, weight, cluster))
    booster = grown.booster
    best = int(booster.best_iteration) + 1
    cut = booster[:best]
    cut.feature_names = list(order)
    return FittedTrees(
        booster=bytes(cut.save_raw("ubj")),
        trees=best,
        trees_tried=booster.num_boosted_rounds(),
        train_loss=grown.train_loss,
        validation_loss=grown.validation_loss,
        gains={name: float(gain) for name, gain in cut.get_score(importance_type="total_gain").items()},
        positive_weight=weight,
    )


def as_task(order: Sequence[str], settings: Settings, plan: Plan, weight: float) -> one_task.Task:
    """What the one task of a plan of one worker is told."""
    return one_task.Task(
        order=tuple(order),
        label=LABEL,
        validation=_HELD_OUT,
        parameters={**tree_parameters(settings, order, weight), "objective": "binary:logistic"},
        rounds=settings.training.max_trees,
        patience=settings.training.early_stopping_rounds,
        threads=plan.threads,
    )


def _wider(plan: Plan, cluster: Cluster) -> bool:
    """Whether Spark must be asked for wider tasks: on one machine nothing else wants the cores."""
    return not cluster.local and plan.threads != cluster.task_cpus


def _on_workers(rows: DataFrame, estimator: ThreadedXGBClassifier) -> one_task.Grown:
    """The same on several workers: rows by a hash of the user, sorted on arrival."""
    workers = estimator.getOrDefault("num_workers")
    model = estimator.fit(rows.repartition(workers, "user_id").sortWithinPartitions("user_id", "month"))
    losses = model.training_summary
    return one_task.Grown(
        model.get_booster(),
        tuple(losses.train_objective_history["logloss"]),
        tuple(losses.validation_objective_history["logloss"]),
    )


def _estimator(
    order: Sequence[str], settings: Settings, plan: Plan, weight: float, cluster: Cluster
) -> ThreadedXGBClassifier:
    estimator = ThreadedXGBClassifier(
        features_col=list(order),
        label_col=LABEL,
        validation_indicator_col=_HELD_OUT,
        missing=float("nan"),
        num_workers=plan.workers,
        n_estimators=settings.training.max_trees,
        early_stopping_rounds=settings.training.early_stopping_rounds,
        verbose=False,  # the loss of each round is in MLflow, not on the terminal
        **tree_parameters(settings, order, weight),
    )
    estimator.threads, estimator.task_cpus, estimator.local = plan.threads, cluster.task_cpus, cluster.local
    return estimator


def tree_parameters(settings: Settings, order: Sequence[str], weight: float) -> dict[str, object]:
    """XGBoost's parameters, the same for the Spark estimator and for plain XGBoost."""
    chosen = settings.training
    found: dict[str, object] = {
        "learning_rate": chosen.learning_rate,
        "max_depth": chosen.max_depth,
        "min_child_weight": chosen.min_child_weight,
        "subsample": chosen.subsample,
        "colsample_bytree": chosen.colsample_bytree,
        "reg_lambda": chosen.reg_lambda,
        "scale_pos_weight": weight,
        "tree_method": "hist",
        "eval_metric": "logloss",
        "seed": chosen.seed,
    }
    if any(chosen.monotone.values()):
        found["monotone_constraints"] = tuple(chosen.monotone.get(name, 0) for name in order)
    return found


def positive_weight(settings: Settings, base_rate: float) -> float:
    """The weight of a positive row that settings ask for."""
    wanted = settings.training.positive_weight
    return (1.0 - base_rate) / base_rate if wanted == "balanced" else float(wanted)
