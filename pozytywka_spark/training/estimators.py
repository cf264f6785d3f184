"""Gradient-boosted trees on Spark, and the names of the three models that are always trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.training.linear import LOGISTIC
from pozytywka_spark.training.planner import Plan, describe_cluster
from pozytywka_spark.training.rows import LABEL, SIDE
from pozytywka_spark.training.splits import TRAIN, VALIDATION
from pozytywka_spark.training.threaded import ThreadedXGBClassifier

MAJORITY, XGBOOST = "majority", "xgboost"
MODELS = (MAJORITY, LOGISTIC, XGBOOST)


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


def fit_trees(
    rows: DataFrame, order: Sequence[str], settings: Settings, plan: Plan, base_rate: float
) -> FittedTrees:
    """Boosted trees on the train side, stopped on the validation side's log loss.

    Rows go to workers by a hash of the user and are sorted there, so that the same rows give the same
    trees. The booster is cut after its best iteration: no reader can use the trees that overfit.
    """
    unknown = sorted(set(settings.training.monotone) - set(order))
    if unknown:
        raise UsageError(f"training.monotone: no such feature: {', '.join(unknown)}")
    weight = positive_weight(settings, base_rate)
    used = (
        rows.filter(F.col(SIDE).isin(TRAIN, VALIDATION))
        .select("user_id", "month", LABEL, (F.col(SIDE) == VALIDATION).alias("is_validation"), *order)
        .repartition(plan.workers, "user_id")
        .sortWithinPartitions("user_id", "month")
    )
    model = _estimator(order, settings, plan, weight, rows.sparkSession).fit(used)
    booster = model.get_booster()
    best = int(booster.best_iteration) + 1
    summary = model.training_summary
    cut = booster[:best]
    cut.feature_names = list(order)
    return FittedTrees(
        booster=bytes(cut.save_raw("ubj")),
        trees=best,
        trees_tried=booster.num_boosted_rounds(),
        train_loss=tuple(summary.train_objective_history["logloss"]),
        validation_loss=tuple(summary.validation_objective_history["logloss"]),
        gains={name: float(gain) for name, gain in cut.get_score(importance_type="total_gain").items()},
        positive_weight=weight,
    )


def _estimator(
    order: Sequence[str], settings: Settings, plan: Plan, weight: float, spark: SparkSession
) -> ThreadedXGBClassifier:
    estimator = ThreadedXGBClassifier(
        features_col=list(order),
        label_col=LABEL,
        validation_indicator_col="is_validation",
        missing=float("nan"),
        num_workers=plan.workers,
        n_estimators=settings.training.max_trees,
        early_stopping_rounds=settings.training.early_stopping_rounds,
        verbose=False,  # the loss of each round is in MLflow, not on the terminal
        **tree_parameters(settings, order, weight),
    )
    cluster = describe_cluster(spark)
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
