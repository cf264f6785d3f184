"""Trees across executors, from Spark's frames: what a plan of several workers asks for."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.models.spark_trees import ThreadedXGBClassifier
from pozytywka_spark.models.tree_parameters import positive_weight, tree_parameters
from pozytywka_spark.names import LABEL, SIDE, TRAIN, VALIDATION
from pozytywka_spark.spark.resources import Cluster, Plan, describe_cluster
from pozytywka_spark.training.estimators import FittedTrees, cut, refuse_unknown
from pozytywka_spark.training.single_task import Grown

_HELD_OUT = "is_validation"


def fit_across(
    rows: DataFrame, order: Sequence[str], settings: Settings, plan: Plan, base_rate: float
) -> FittedTrees:
    """As `estimators.fit_trees`, on `plan.workers` tasks that wait for each other at barriers.

    Rows go to workers by a hash of the user and are sorted there by user and month, so that the same rows
    give the same trees.
    """
    refuse_unknown(settings, order)
    weight = positive_weight(settings, base_rate)
    used = rows.filter(F.col(SIDE).isin(TRAIN, VALIDATION)).select(
        *("user_id", "month", LABEL), (F.col(SIDE) == VALIDATION).alias(_HELD_OUT), *order
    )
    estimator = _estimator(order, settings, plan, weight, describe_cluster(rows.sparkSession))
    model = estimator.fit(used.repartition(plan.workers, "user_id").sortWithinPartitions("user_id", "month"))
    losses = model.training_summary
    grown = Grown(
        model.get_booster(),
        tuple(losses.train_objective_history["logloss"]),
        tuple(losses.validation_objective_history["logloss"]),
    )
    return cut(grown, order, weight)


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
