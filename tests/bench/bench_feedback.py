"""Texts of a made world: how right the job is about sentences it never saw, and how long it takes.

    python -m tests.bench.bench_feedback right [--users 12000] [--rate 3] [--seeds 7,8]
    python -m tests.bench.bench_feedback time [--train 100000] [--score 1000000]

`right`: models learn from the months before TEST_FROM, whose sentences none of the later texts is made of,
and read those; what comes of it is held against the truth, and kept in results/feedback.json.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import psutil
from sklearn.metrics import normalized_mutual_info_score, roc_auc_score

from pozytywka_spark.config import Synthetic, load_settings
from pozytywka_spark.feedback.score import score
from pozytywka_spark.feedback.train import train
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.spark.session_on_demand import session_on_demand
from tests.bench.feedback_world import append, chunks

RESULTS = Path(__file__).parent / "results" / "feedback.json"
TEST_FROM = "2022-09"
# what is demanded
AIMS = {
    "language": 0.97,
    "queue": 0.85,
    "routed precision": 0.95,
    "routed share": 0.60,
    "promoters AUC": 0.95,
    "spam precision": 0.99,
    "spam recall": 0.90,
}


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True, dest="command")
    right = commands.add_parser("right")
    right.add_argument("--users", type=int, default=12_000)
    right.add_argument("--rate", type=float, default=3.0)
    right.add_argument("--seeds", default="7,8,9")
    timed = commands.add_parser("time")
    timed.add_argument("--train", type=int, default=100_000)
    timed.add_argument("--score", type=int, default=1_000_000)
    args = parser.parse_args()
    if args.command == "right":
        found: dict[str, Mapping[str, float]] = {}
        for seed in args.seeds.split(","):
            found[seed] = judge(args.users, args.rate, int(seed))
            _keep("right", {"users": args.users, "rate": args.rate, "aims": AIMS, "seeds": found})
    else:
        _keep("time", time_it(args.train, args.score))


def judge(users: int, rate: float, seed: int) -> Mapping[str, float]:
    """What the job is worth on a world of that seed."""
    world = Synthetic.model_validate(
        {"users": users, "seed": seed, "feedback": {"rate": rate, "test_from": TEST_FROM}}
    )
    with tempfile.TemporaryDirectory() as home:
        settings = load_settings("local", [f"home={home}"])
        spark = session_on_demand(settings, "bench")
        lake = open_lake(settings, spark)
        rows = pl.concat(chunks(world, 1))
        append(lake, rows.filter(pl.col("true_part") == "train"))
        took = _measured(lambda: train(spark, settings, lake))
        test = rows.filter(pl.col("true_part") == "test")
        append(lake, test)
        score(settings, lake)
        signals = pl.DataFrame(lake.rows("feedback_signals")).drop("user_id", "channel", "feedback_time")
        found = judged(test.drop("queue", "spam").join(signals, on="feedback_id"))
    found |= {f"train, {name}": value for name, value in took.items()}
    print(json.dumps(found, indent=1), flush=True)
    return found


def judged(rows: pl.DataFrame) -> dict[str, float]:
    """Signals against truth."""
    genuine = rows.filter(~pl.col("true_spam"))
    routed = genuine.filter(pl.col("queue").is_not_null())
    told = genuine.filter((pl.col("true_score") <= 6) | (pl.col("true_score") >= 9))
    called = rows.filter(pl.col("spam"))
    clear = genuine.filter(~pl.col("true_vague"))
    topics = routed.filter((pl.col("queue") == pl.col("true_queue")) & pl.col("topic").is_not_null())
    return {
        "texts": rows.height,
        "language": _share(rows, pl.col("language") == pl.col("true_language")),
        "queue": _share(genuine, pl.col("queue_best") == pl.col("true_queue")),
        "queue where there is a subject": _share(clear, pl.col("queue_best") == pl.col("true_queue")),
        "routed precision": _share(routed, pl.col("queue") == pl.col("true_queue")),
        "routed share": routed.height / genuine.height,
        "promoters AUC": float(roc_auc_score(told["true_score"] >= 9, told["sentiment"])),
        "spam precision": _share(called, pl.col("true_spam")),
        "spam recall": float(called["true_spam"].sum()) / float(rows["true_spam"].sum()),
        "spam recall at its best cut": _best_recall(rows),
        "of texts called no spam": _share(rows.filter(~pl.col("spam")), ~pl.col("true_spam")),
        "with a topic": topics.height / max(routed.height, 1),
        "topics, mutual information": _topics(topics),
    }


def _topics(rows: pl.DataFrame) -> float:
    """Normalised mutual information with the true topic, mean over queues and languages."""
    each = [
        float(normalized_mutual_info_score(some["true_topic"], some["topic"]))
        for _, some in rows.group_by("queue", "language")
    ]
    return sum(each) / max(len(each), 1)


def _best_recall(rows: pl.DataFrame, precision: float = 0.99) -> float:
    """Of spam, had the cut been made by the truth."""
    ordered = rows.sort("spam_probability", descending=True).get_column("true_spam").to_numpy()
    found = ordered.cumsum()
    fine = found / np.arange(1, len(found) + 1) >= precision
    return float(found[fine].max(initial=0) / max(found[-1], 1))


def _share(rows: pl.DataFrame, right: pl.Expr) -> float:
    return float(rows.select(right.fill_null(value=False).mean()).item() or 0.0)


def time_it(train_texts: int, score_texts: int) -> dict[str, Any]:
    """Seconds of training and of scoring so many texts."""
    world = Synthetic.model_validate({"users": 20_000, "feedback": {"rate": 6.0, "labels": 1.0}})
    with tempfile.TemporaryDirectory() as home:
        settings = load_settings("local", [f"home={home}"])
        spark = session_on_demand(settings, "bench")
        lake = open_lake(settings, spark)
        rows, there = [], 0
        for some in chunks(world, 2):
            rows.append(some)
            there += some.height
            if there >= max(train_texts, 200_000):
                break
        drawn = pl.concat(rows)
        _append_in_parts(lake, drawn.head(train_texts))
        trained = _measured(lambda: train(spark, settings, lake))
        copies = -(-(score_texts - train_texts) // drawn.height)
        for copy in range(copies):
            more = drawn.with_columns(pl.col("feedback_id") + f"-{copy}")
            _append_in_parts(lake, more.head(score_texts - train_texts - copy * drawn.height))
        scored = _measured(lambda: score(settings, lake))
        texts = lake.rows("feedback_signals", ["feedback_id"]).num_rows
    found = {"train": {"texts": train_texts, **trained}, "score": {"texts": texts, **scored}}
    print(json.dumps(found, indent=1))
    return found


def _measured(work: Callable[[], object]) -> dict[str, float]:
    """Seconds by the clock, and of all cores together by this process and those it started."""
    before, started = _core_seconds(), time.perf_counter()
    work()
    return {"seconds": time.perf_counter() - started, "core_seconds": _core_seconds() - before}


def _core_seconds() -> float:
    mine = psutil.Process()
    times = [each.cpu_times() for each in (mine, *mine.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def _append_in_parts(lake: Lake, rows: pl.DataFrame) -> None:
    for some in rows.iter_slices(100_000):
        append(lake, some)


def _keep(name: str, found: Mapping[str, Any]) -> None:
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps({**kept, name: found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
