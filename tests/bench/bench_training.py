"""Training and scoring beside plain xgboost on the same rows, in one run. A measurement, not a test.

    python tests/bench/bench_training.py [--rows 125000 1000000] [--columns 60] [--trees 100] [--workers N]
                                         [--scored 500000] [--only training|scoring]

Training, of each size: seconds of fits across executors from cached rows, and of plain xgboost with as many
threads on a matrix in memory, which is what training does as long as rows fit. Their fixed cost is measured,
not fitted: the same fit on a thousand rows with one tree, once everything is warm. Scoring with reasons: a
first run (workers start, the booster is read) and a second one apart, in rows per second and core, beside
plain xgboost's contributions with as many threads. The rows are made by Spark, written once as Parquet, and
read by both sides.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.dataset as ds
import xgboost
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pozytywka_spark import cli
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.models.booster import Trees, with_margin
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.models.tree_parameters import tree_parameters
from pozytywka_spark.spark.resources import Plan, describe_cluster, plan
from pozytywka_spark.spark.session import build_session
from pozytywka_spark.training.across_executors import fit_across
from tests.bench.in_xgboost import grow


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[125_000])
    parser.add_argument("--columns", type=int, default=60)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--scored", type=int, default=500_000, help="rows scored with reasons")
    parser.add_argument("--fits", type=int, default=3, help="fits of each kind at each size")
    parser.add_argument("--only", choices=["training", "scoring"])
    args = parser.parse_args()
    cli.quiet_libraries(verbose=False)
    with tempfile.TemporaryDirectory() as home:
        sets = [f"home={home}", f"spark.master=local[{args.cores}]", f"training.max_trees={args.trees}"]
        # both sides grow the same number of trees
        settings = load_settings("local", [*sets, f"training.early_stopping_rounds={args.trees}"])
        spark = build_session(settings, "bench")
        order = tuple(f"x{place:02}" for place in range(args.columns))
        if args.only != "scoring":
            bench_training(spark, settings, order, args)
        if args.only != "training":
            bench_scoring(spark, settings, order, args)
        spark.stop()
    return 0


def bench_training(spark: SparkSession, settings: Settings, order: tuple[str, ...], args: Any) -> None:
    """Fit both ways at each size; the first fit of the session tells what cold workers cost."""
    found, first = [], 0.0
    for count in args.rows:
        row, cold = fitted_beside(spark, settings, order, args, count)
        first = first or cold
        found.append(row)
    fixed = fixed_cost(spark, settings, order)
    cli.show_table(
        f"training, seconds, the best of {args.fits}; the session's first fit took {first:.1f}",
        [
            row
            | {"spark / plain": row["spark"] / row["plain"], "fixed": fixed}
            | {"(spark - fixed) / plain": (row["spark"] - fixed) / row["plain"]}
            for row in found
        ],
    )


def fitted_beside(
    spark: SparkSession, settings: Settings, order: tuple[str, ...], args: Any, count: int
) -> tuple[dict[str, float], float]:
    """Seconds of both at one size, and of Spark's first fit."""
    address = f"{settings.home}/rows-{count}"
    made(spark, count, order).write.parquet(address)
    rows = spark.read.parquet(address).persist()
    rows.count()  # the train job's rows are cached when the fit begins
    chosen = plan(count, args.columns, describe_cluster(spark), args.workers)
    cli.say(f"{count:,} x {args.columns}, {args.trees} trees: {chosen.reason}")
    ours = [timed(lambda: fit_across(rows, order, settings, chosen, 0.1))[0] for _ in range(args.fits)]
    rows.unpersist()
    sides = read_sides(address, order)
    threads = chosen.workers * chosen.threads
    plain = [timed(lambda: plainly(sides, order, settings, args.trees, threads))[0] for _ in range(args.fits)]
    row = {"rows": count, "threads": threads, "spark": min(ours), "plain": min(plain)}
    return row, ours[0]


def fixed_cost(spark: SparkSession, settings: Settings, order: tuple[str, ...]) -> float:
    """Seconds of a warm fit that has next to nothing to learn."""
    few = made(spark, 1_000, order).persist()
    few.count()
    one_tree = settings.model_copy(update={"training": settings.training.model_copy(update={"max_trees": 1})})
    spent = min(
        timed(lambda: fit_across(few, order, one_tree, Plan(1, 1, "fixed cost"), 0.1))[0] for _ in range(3)
    )
    few.unpersist()
    return spent


def bench_scoring(spark: SparkSession, settings: Settings, order: tuple[str, ...], args: Any) -> None:
    """Score with reasons both ways, with a model of `--trees` trees."""
    address = f"{settings.home}/scored"
    made(spark, args.scored, order).write.parquet(address)
    matrix = read_matrix(address, order)
    few = matrix[:50_000]
    label = (np.random.default_rng(0).random(len(few)) < 1 / (1 + np.exp(2.5 - 1.5 * few[:, 0]))) * 1.0
    parameters = {
        **tree_parameters(settings, order, 1.0),
        "objective": "binary:logistic",
        "nthread": args.cores,
    }
    booster = xgboost.train(
        parameters, xgboost.QuantileDMatrix(few, label, max_bin=parameters["max_bin"]), args.trees
    )
    model = ServingModel(
        Trees(bytes(booster.save_raw("ubj")), args.trees),
        order,
        "",
        "label",
        30,
        0.1,
        name="bench",
        version=1,
    )
    rows = spark.read.parquet(address).select("user_id", *order)
    explained = with_margin(rows, model.predictor, order, ["user_id"], contributions=True)
    scored = explained.write.format("noop").mode("overwrite")
    cold, _ = timed(scored.save)
    warm, _ = timed(scored.save)
    booster.set_param({"nthread": args.cores})

    def contributions() -> Any:
        data = xgboost.DMatrix(matrix, nthread=args.cores)
        return booster.predict(data, pred_contribs=True, validate_features=False)

    theirs, _ = timed(contributions)
    speed = {name: args.scored / spent / args.cores for name, spent in (("cold", cold), ("warm", warm))}
    plain = args.scored / theirs / args.cores
    cli.show_table(
        f"scoring {args.scored:,} rows with contributions, rows a second and core",
        [
            {"run": name, "spark": value, "plain": plain, "ratio": value / plain, "seconds": spent}
            for (name, value), spent in zip(speed.items(), (cold, warm), strict=True)
        ],
    )


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


def read_matrix(address: str, order: tuple[str, ...], side: str | None = None) -> Any:
    """The features as numpy has them, of one side if named."""
    wanted = None if side is None else ds.field("side") == side
    table = ds.dataset(address).to_table(columns=list(order), filter=wanted)
    return np.column_stack([table.column(name).to_numpy() for name in order])


def read_sides(address: str, order: tuple[str, ...]) -> dict[str, tuple[Any, Any]]:
    """Features and labels of train and validation, in memory before the clock starts."""
    found = {}
    for side in ("train", "validation"):
        label = ds.dataset(address).to_table(columns=["label"], filter=ds.field("side") == side)
        found[side] = (read_matrix(address, order, side), label.column("label").to_numpy())
    return found


def plainly(
    sides: dict[str, tuple[Any, Any]], order: tuple[str, ...], settings: Settings, trees: int, threads: int
) -> xgboost.Booster:
    """The same parameters with the library alone."""
    parameters = {**tree_parameters(settings, order, 1.0), "objective": "binary:logistic", "nthread": threads}
    return grow(sides, parameters, trees)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.monotonic()
    found = work()
    return time.monotonic() - start, found


if __name__ == "__main__":
    sys.exit(main())
