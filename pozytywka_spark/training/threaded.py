"""XGBoost's Spark estimator with the threads that the planner chose.

The library gives every worker `spark.task.cpus` threads, a number fixed when the session starts. On one
machine a single worker would leave all cores but one idle; on a cluster Spark can be asked for wider tasks
for this one job (stage-level scheduling).
"""

from __future__ import annotations

from typing import Any

from pyspark import RDD
from pyspark.resource import ResourceProfileBuilder, TaskResourceRequests
from xgboost.spark import SparkXGBClassifier


class ThreadedXGBClassifier(SparkXGBClassifier):  # type: ignore[misc]  # the library has no types
    """`SparkXGBClassifier` whose workers use `threads`; `task_cpus` is what a task has by itself."""

    threads: int = 1
    task_cpus: int = 1
    local: bool = True

    def _get_xgb_parameters(self, dataset: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        booster, call, matrix = super()._get_xgb_parameters(dataset)
        return {**booster, "nthread": self.threads}, call, {**matrix, "nthread": self.threads}

    def _try_stage_level_scheduling(self, rdd: RDD[Any]) -> RDD[Any]:
        if self.local or self.threads == self.task_cpus:
            return rdd  # nothing else runs on the machine; or tasks are as wide already
        return rdd.withResources(
            ResourceProfileBuilder().require(TaskResourceRequests().cpus(self.threads)).build
        )
