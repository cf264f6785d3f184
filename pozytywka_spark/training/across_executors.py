"""Trees across executors, from Spark's frames: what a plan of several workers asks for.

XGBoost's Spark estimator is used without what it does for data and clusters that it doesn't know. It gives
every worker `spark.task.cpus` threads, a number fixed when the session starts: on one machine a single
worker would leave all cores but one idle. And it reads the data twice before it trains, to count partitions
and classes, both of which are fixed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark import RDD
from pyspark.resource import ResourceProfileBuilder, TaskResourceRequests
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from xgboost.spark import SparkXGBClassifier

from pozytywka_spark.config import Settings
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


class ThreadedXGBClassifier(SparkXGBClassifier):  # type: ignore[misc]  # the library has no types
    """`SparkXGBClassifier` for rows of two classes that lie in `num_workers` partitions already.

    Workers use `threads`; `task_cpus` is what a task has by itself. On a cluster Spark is asked for wider
    tasks for this one job (stage-level scheduling).
    """

    threads: int = 1
    task_cpus: int = 1
    local: bool = True

    def _repartition_needed(self, _: Any) -> bool:
        return False

    def _get_distributed_train_params(self, dataset: Any) -> dict[str, Any]:
        # the library counts the distinct labels, with a job over all rows; two rows say the same
        both = dataset.sparkSession.createDataFrame([(0.0,), (1.0,)], "label double")
        return dict(super()._get_distributed_train_params(both))

    def _get_xgb_parameters(self, dataset: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        booster, call, matrix = super()._get_xgb_parameters(dataset)
        return {**booster, "nthread": self.threads}, call, {**matrix, "nthread": self.threads}

    def _try_stage_level_scheduling(self, rdd: RDD[Any]) -> RDD[Any]:
        if self.local or self.threads == self.task_cpus:
            return rdd  # nothing else runs on the machine; or tasks are as wide already
        wider = TaskResourceRequests().cpus(self.threads)
        return rdd.withResources(ResourceProfileBuilder().require(wider).build)
