"""XGBoost's Spark estimator without what it does for data and clusters that it doesn't know.

It gives every worker `spark.task.cpus` threads, a number fixed when the session starts: on one machine a
single worker would leave all cores but one idle. And it reads the data twice before it trains, to count
partitions and classes, both of which are known here.
"""

from __future__ import annotations

from typing import Any

from pyspark import RDD
from pyspark.resource import ResourceProfileBuilder, TaskResourceRequests
from xgboost.spark import SparkXGBClassifier


class _TwoClasses:
    """Stands for the rows where the library counts distinct labels, in three stages of Spark."""

    def select(self, _: Any) -> _TwoClasses:
        """Whatever is asked of the rows."""
        return self

    def collect(self) -> list[tuple[int]]:
        """The answer as Spark would give it."""
        return [(2,)]


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

    def _get_distributed_train_params(self, _: Any) -> dict[str, Any]:
        return dict(super()._get_distributed_train_params(_TwoClasses()))

    def _get_xgb_parameters(self, dataset: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        booster, call, matrix = super()._get_xgb_parameters(dataset)
        return {**booster, "nthread": self.threads}, call, {**matrix, "nthread": self.threads}

    def _try_stage_level_scheduling(self, rdd: RDD[Any]) -> RDD[Any]:
        if self.local or self.threads == self.task_cpus:
            return rdd  # nothing else runs on the machine; or tasks are as wide already
        wider = TaskResourceRequests().cpus(self.threads)
        return rdd.withResources(ResourceProfileBuilder().require(wider).build)
