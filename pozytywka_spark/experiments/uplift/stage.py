"""Treatment log, features and purchases -> who was persuaded, and whether targeting by it would pay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings, deciding
from pozytywka_spark.dataset.rows import content_hash
from pozytywka_spark.errors import UsageError
from pozytywka_spark.experiments.assignment import definitions
from pozytywka_spark.experiments.assignment.allocation import CONTROL
from pozytywka_spark.experiments.assignment.definitions import Experiment
from pozytywka_spark.experiments.uplift.estimate import cross_fitted, with_bins
from pozytywka_spark.experiments.uplift.qini import curve, replicates
from pozytywka_spark.experiments.uplift.report import UpliftReport, make_report
from pozytywka_spark.experiments.uplift.rows import as_rows, check_enough, treated_shares
from pozytywka_spark.features.declared.catalogue import feature_order
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import UPLIFT
from pozytywka_spark.spark.resources import describe_cluster, plan


def uplift(
    spark: SparkSession, settings: Settings, lake: Lake, name: str, treatment: str | None = None
) -> UpliftReport:
    """Estimate each user's uplift by models fitted on others: table `uplift`, Qini curves, page, MLflow run.

    A purchase counts within `experiments.uplift.horizon_days` of entry; users whose horizon isn't over
    take no part. The same inputs are not fitted twice. Raises `DataError` with the counts if they are too
    few, `UsageError` for an unknown experiment or treatment.
    """
    experiment = definitions.find(lake, name)
    group = _treatment(experiment, treatment)
    order, chosen = feature_order(settings), settings.experiments.uplift
    shares = treated_shares(experiment, group)
    rows = as_rows(spark, settings, lake, experiment, group, order).persist()
    try:
        sizes = check_enough(rows, group, chosen.min_purchases)
        uplift_id = _identity(rows, order, group, settings)
        unchanged = _is_there(lake, name, uplift_id)
        if not unchanged:
            workers = plan(
                sum(sizes.values()),
                len(order),
                describe_cluster(spark),
                settings.training.num_workers,
                in_memory=False,  # its models are always fitted from Spark's rows, at barriers
            ).workers
            made = cross_fitted(rows, order, chosen, workers, shares).persist()
            table = _as_table(with_bins(made, sizes), name, group, uplift_id)
            lake.replace_partitions(table, UPLIFT, [{"experiment": name}])
            made.unpersist()
    finally:
        rows.unpersist()
    estimates = lake.read(UPLIFT.name, partitions=[{"experiment": name}])
    cells = cells_of(estimates)
    counts = replicates(cells["users"].to_numpy(np.int64), chosen.bootstrap, chosen.seed)
    scored = not estimates.where(F.col("score").isNotNull()).isEmpty()
    rankings = ("uplift", "score") if scored else ("uplift",)
    curves = {by: curve(cells, f"{by}_bin", counts, shares) for by in rankings}
    return make_report(
        settings, name, group, int(cells["users"].sum()), curves, uplift_id, unchanged=unchanged
    )


def cells_of(estimates: DataFrame) -> pd.DataFrame:
    """Users by bins of both rankings, group, stratum and outcome: at most 1,600 rows a stratum."""
    counted = estimates.groupBy(
        "uplift_bin", "score_bin", (F.col("group") != CONTROL).alias("treated"), "revision", "bought"
    ).agg(F.count(F.lit(1)).alias("users"))
    keys = ["uplift_bin", "score_bin", "treated", "revision", "bought"]
    frame = pd.DataFrame([row.asDict() for row in counted.collect()], columns=[*keys, "users"])
    return frame.sort_values(keys, ignore_index=True)  # the bootstrap draws in this order


def _treatment(experiment: Experiment, asked: str | None) -> str:
    treatments = experiment.latest.allocation.treatments
    if asked and asked not in treatments:
        raise UsageError(
            f"--treatment {asked}: experiment {experiment.latest.name} has {', '.join(treatments)}"
        )
    return asked or treatments[0]


def _as_table(made: DataFrame, name: str, group: str, uplift_id: str) -> DataFrame:
    return UPLIFT.conform(
        made.select(
            F.lit(name).alias("experiment"),
            "user_id",
            "month",
            "revision",
            F.when(F.col("treated") == 1, F.lit(group)).otherwise(F.lit(CONTROL)).alias("group"),
            (F.col("bought") == 1).alias("bought"),
            "fold",
            "uplift",
            "score",
            "uplift_bin",
            "score_bin",
            F.lit(uplift_id).alias("uplift_id"),
        )
    )


def _identity(rows: DataFrame, order: Sequence[str], group: str, settings: Settings) -> str:
    content = [content_hash(rows), list(order), group, deciding(settings, "uplift")]
    return fingerprint_of(content)


def _is_there(lake: Lake, name: str, uplift_id: str) -> bool:
    if not lake.exists(UPLIFT.name):
        return False
    first = lake.read(UPLIFT.name, partitions=[{"experiment": name}]).first()
    return first is not None and first["uplift_id"] == uplift_id
