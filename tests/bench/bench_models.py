"""Training and scoring through the lake and MLflow, beside plain xgboost on the same rows.

    python -m tests.bench.bench_models [--events 1000000 10000000 40000000] [--memory 4g] [--trees 100]

The rows are those of as many invented events, which hide nothing to learn: so trees are never stopped early,
and both sides grow as many. Printed of each size: the seconds of plain xgboost in a process of its own, which
reads the lake's Parquet files through DuckDB, trains, and scores the last month with its reasons; the train
stage with all it does besides growing trees (guards, baselines, calibration, metrics with intervals,
explanation, folds, MLflow), its trees alone, the score stage; each run again with nothing new; and the peak
memory of both sides.
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.dataset.prepare import pin
from pozytywka_spark.dataset.table_job import Laid, training_table
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.lake import open_lake
from pozytywka_spark.names import TRAIN
from pozytywka_spark.scoring.stage import read_month, score
from pozytywka_spark.spark.resources import describe_cluster, plan
from pozytywka_spark.spark.session import build_session
from pozytywka_spark.training.estimators import fit_trees
from pozytywka_spark.training.stage import train
from tests.bench.kept_worlds import worlds
from tests.bench.memory import jvm_peak, workers_peak
from tests.bench.silver_world import World, write_silver
from tests.bench.timed import seconds


def measure(spark: SparkSession, settings: Settings, events: int) -> None:
    """Print the figures of one size; makes its lake if there is none."""
    from tests.bench.in_xgboost import work_in_xgboost  # xgboost: not to read flags

    def tell(name: str, taken: float) -> None:
        print(f"{events:>11,} {name:<34} {taken:8.2f} s", flush=True)

    lake = open_lake(settings, spark)
    if not lake.exists("events"):
        write_silver(spark, lake, World(events))
    if not lake.exists("features"):
        build_features(spark, settings, lake)
    with training_table(pin(settings, lake), settings, lake) as laid:
        trees = trees_alone(spark, settings, laid)
    taken, peak = work_in_xgboost(lake, settings, laid.plan, read_month(settings, lake, None).month)
    for name, value in taken.items():
        tell(name, value)
    print(f"{'':>11} peak memory of xgboost {peak:.2f} GB", flush=True)
    tell("train", seconds(lambda: train(spark, settings, lake)))
    tell("train: nothing new", seconds(lambda: train(spark, settings, lake)))
    tell("train: the trees alone", trees)
    tell("score", seconds(lambda: score(spark, settings, lake)))
    tell("score: nothing new", seconds(lambda: score(spark, settings, lake)))
    both = jvm_peak(spark) + workers_peak(spark)
    print(f"{'':>11} peak memory of the JVM and its Python workers {both:.2f} GB", flush=True)


def trees_alone(spark: SparkSession, settings: Settings, laid: Laid) -> float:
    """Seconds of the fit on a training table that is there, as it is when the stage's begins."""
    prepared = laid.prepared
    size = (prepared.sizes[TRAIN][0], len(prepared.order))
    chosen = plan(*size, describe_cluster(spark))
    question = partial(fit_trees, settings=settings, plan=chosen, base_rate=prepared.base_rate)
    return seconds(lambda: laid.asked.ask([question], threads=chosen.threads))


def main() -> None:
    """Parse, measure each size in a folder of its own, with an MLflow store that is new each time."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 10_000_000, 40_000_000])
    parser.add_argument("--memory", default="4g")
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--home", type=Path, help="keep the worlds here, and use those that are there")
    args = parser.parse_args()
    sets = [
        "spark.master=local[2]",
        f"spark.driver_memory={args.memory}",
        f"training.max_trees={args.trees}",
        f"training.early_stopping_rounds={args.trees}",
        # few buyers among a million events: half a year a side, so that each has some
        "training.min_positives=1",
        "split.validation_months=6",
        "split.test_months=6",
        "guards.perturbation=false",  # of the features, whose time isn't told here
    ]
    with worlds(args.home) as home:
        spark = build_session(load_settings("local", [f"home={home}", *sets]), "bench models")
        for events in args.events:
            with tempfile.TemporaryDirectory() as runs:
                here = [f"home={home / str(events)}", f"mlflow.tracking_uri=sqlite:///{runs}/mlflow.db"]
                measure(spark, load_settings("local", [*sets, *here]), events)
        spark.stop()


if __name__ == "__main__":
    main()
