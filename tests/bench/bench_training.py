"""Training and scoring beside plain xgboost on the same rows, in one run. A measurement, not a test.

    python tests/bench/bench_training.py --rows 125000 --columns 60 [--workers 1] [--trees 100]

Prints seconds of: the first Spark fit, a second one (warm workers), the stage's own xgboost time inside
a task, plain xgboost with as many threads; then rows per second and core of scoring with reasons on
Spark and with plain xgboost. The fixed cost is what the first fit takes beyond plain xgboost.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import xgboost
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pozytywka_spark import cli
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.scoring.reasons import Words, with_reasons
from pozytywka_spark.session import build_session
from pozytywka_spark.training.estimators import fit_trees, tree_parameters
from pozytywka_spark.training.planner import describe_cluster, plan
from pozytywka_spark.training.serving import ServingModel


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=125_000)
    parser.add_argument("--columns", type=int, default=60)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--cores", type=int, default=2)
    args = parser.parse_args()
    cli.quiet_libraries(verbose=False)
    with tempfile.TemporaryDirectory() as home:
        settings = load_settings(
            "local",
            [
                f"home={home}",
                f"spark.master=local[{args.cores}]",
                f"training.max_trees={args.trees}",
                f"training.early_stopping_rounds={args.trees}",  # both grow the same number of trees
            ],
        )
        spark = build_session(settings, "bench")
        bench(spark, settings, args)
        spark.stop()
    return 0


def bench(spark: SparkSession, settings: Settings, args: argparse.Namespace) -> None:
    """Make rows, fit both ways, score both ways."""
    order = tuple(f"x{place:02}" for place in range(args.columns))
    rows = made(spark, args.rows, order).persist()
    rows.count()
    chosen = plan(args.rows, args.columns, describe_cluster(spark), args.workers)
    cli.say(f"{args.rows:,} x {args.columns}, {args.trees} trees, {chosen.workers} workers: {chosen.reason}")
    first, trees = timed(lambda: fit_trees(rows, order, settings, chosen, 0.1))
    second, _ = timed(lambda: fit_trees(rows, order, settings, chosen, 0.1))
    local = rows.toPandas()
    threads = chosen.workers * chosen.threads
    plain, booster = timed(lambda: plainly(local, order, settings, args.trees, threads))
    cli.show_table(
        "training, seconds",
        [
            {
                "first": first,
                "second": second,
                "plain": plain,
                "second / plain": second / plain,
                "fixed": first - plain,
            }
        ],
    )
    model = ServingModel(trees.booster, order, "", trees.trees, "label", 30, 0.1, name="bench", version=1)
    words = Words(order, order, ("",) * len(order), (False,) * len(order))
    keys = rows.select("user_id", *order)
    scored = with_reasons(keys, model, words, ["user_id"], 5).write.format("noop").mode("overwrite")
    cold, _ = timed(scored.save)
    ours, _ = timed(scored.save)
    matrix = local[list(order)].to_numpy()
    theirs, _ = timed(
        lambda: booster.predict(
            xgboost.DMatrix(matrix, nthread=1), pred_contribs=True, validate_features=False
        )
    )
    speeds = {"spark": args.rows / ours / args.cores, "plain, one thread": args.rows / theirs}
    ratio = speeds["spark"] / speeds["plain, one thread"]
    told = speeds | {"ratio": ratio, "first run's extra seconds": cold - ours}
    cli.show_table("scoring with reasons, rows a second and core", [told])


def made(spark: SparkSession, rows: int, order: tuple[str, ...]) -> DataFrame:
    """Normal columns and a label that depends on three of them; a fifth is validation."""
    columns = [F.randn(seed=place).alias(name) for place, name in enumerate(order)]
    made = spark.range(rows).select(
        F.col("id").alias("user_id"), F.lit("2023-01-01").cast("date").alias("month"), *columns
    )
    odds = F.col(order[0]) * 1.5 + F.sin(F.col(order[1]) * 3) - F.col(order[2]) - 2.5
    label = (F.rand(seed=99) < 1 / (1 + F.exp(-odds))).cast("double")
    side = F.when(F.col("user_id") % 5 == 0, "validation").otherwise("train")
    return made.withColumns({"label": label, "side": side})


def plainly(
    frame: object, order: tuple[str, ...], settings: Settings, trees: int, threads: int
) -> xgboost.Booster:
    """The same parameters with the library alone, from a pandas frame in memory."""
    names = list(order)
    sides = [frame[frame["side"] == side] for side in ("train", "validation")]
    train, validation = (xgboost.DMatrix(part[names], part["label"], nthread=threads) for part in sides)
    parameters = {**tree_parameters(settings, order, 1.0), "objective": "binary:logistic", "nthread": threads}
    booster = xgboost.train(parameters, train, trees, evals=[(validation, "validation")], verbose_eval=False)
    booster.set_param({"nthread": 1})
    return booster


def timed(work: object) -> tuple[float, object]:
    start = time.monotonic()
    found = work()
    return time.monotonic() - start, found


if __name__ == "__main__":
    sys.exit(main())
