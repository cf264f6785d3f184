"""What features of texts bring: texts whose subjects follow the pull to premium, and texts that don't.

    python -m tests.bench.bench_feedback_features [--users 6000] [--months 18] [--seeds 1 2 3 4 5]
        [--taste 0 2] [--rate 1] [--wrong 0.1] [--each] [--home FOLDER] [--out FILE]

Each world is made, ingested, its features built once; nothing but texts depends on `synthetic.feedback`:
texts of each power of the taste are written for that one world. Their signals are what is true of them, but
for a share `--wrong` of queues that are others, as a model's are; their features come from the build's own
kernel. Trees grow on the rows that `train` would be given (`plain_models`): with the catalogue of every
lake (`without`), with the features of texts that models are given by default (`default`), with all of them
(`all`), and with `--each` with each by itself. A line of JSON a world and power: ROC AUC of the test
months, mean over several draws of the trees.

`expected`, where texts tell nothing of the pull: the ROC AUC were the labels drawn again and again by the
true probabilities, which is the same without the luck of few buyers. Where they tell of it those
probabilities are not the last word: they know events only.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.metrics import roc_auc_score

from pozytywka_spark.config import Settings
from pozytywka_spark.config.texts import Texts
from pozytywka_spark.features.build.aggregate import aggregate_user_months
from pozytywka_spark.features.build.plan import plan_of
from pozytywka_spark.features.build.text_level import text_level
from pozytywka_spark.features.build.texts import Queues, text_rows
from pozytywka_spark.features.build.user_months import UserMonths
from pozytywka_spark.features.declared.catalogue import CATALOGUE
from pozytywka_spark.features.declared.texts import FEATURES
from pozytywka_spark.synthetic.life import life_of
from pozytywka_spark.synthetic.life import plan_of as world_plan
from pozytywka_spark.synthetic.texts.grammar import SUBJECTS, TOPICS
from pozytywka_spark.synthetic.texts.occasions import occasions_of
from tests.bench.feature_study import auc_of, buyers, make_world, read, settings_of, tell
from tests.bench.kept_worlds import worlds

DEFAULT = tuple(each.name for each in FEATURES if each.by_default)
TEXTS = tuple(each.name for each in FEATURES)
PLAIN = tuple(each.name for each in CATALOGUE)


def signals_of(settings: Settings, texts: Texts, wrong: float) -> pl.DataFrame:
    """As `feedback_signals` would hold them: what is true of each text, but for queues that are others."""
    plan = world_plan(settings.synthetic.model_copy(update={"feedback": texts}))
    queues = list(SUBJECTS)
    of_topic = np.array([queues.index(queue) for queue, _ in TOPICS])
    frames = []
    for chunk in range(plan.chunks):
        life = life_of(plan, chunk)
        found = occasions_of(plan, life)
        rng = np.random.default_rng([settings.synthetic.seed, chunk])
        true = of_topic[found.topic]
        other = (true + rng.integers(1, len(queues), len(true))) % len(queues)
        queue = np.where(rng.random(len(true)) < wrong, other, true)
        frames.append(
            pl.DataFrame(
                {
                    "user_id": life.people.user_id[found.user],
                    "feedback_time": pl.Series(found.time_ms * 1000).cast(pl.Datetime("us", "UTC")),
                    "sentiment": (found.mood - 1) * rng.uniform(0.5, 1.0, len(true)),
                    "queue_best": np.array(queues)[queue],
                    "spam": pl.Series([None] * len(true), dtype=pl.Boolean),
                }
            )
        )
    return pl.concat(frames)


def text_features(keys: pl.DataFrame, signals: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """FEATURES of these users' months, in their order, by the kernel of the build."""
    plan = plan_of(FEATURES)
    ordered = keys.sort("month", "user_id")
    where = UserMonths(ordered)
    rows = text_rows(signals, Queues.of(settings.feedback))
    measures = aggregate_user_months(text_level(rows, where), plan.at("text"), where)
    made = ordered.with_columns(measures).select(
        "user_id", "month", *(each.made.alias(each.name) for each in plan.features)
    )
    return keys.join(made, on=["user_id", "month"], how="left", maintain_order="left")


def study(settings: Settings, args: argparse.Namespace) -> list[dict[str, Any]]:
    """What was measured of a world, a line a power of the taste."""
    plain, probability = read(settings, PLAIN)
    without = auc_of(plain, PLAIN, probability, args.draws)
    lines = []
    for power in args.taste:
        signals = signals_of(settings, Texts(rate=args.rate, taste=power), args.wrong)
        sides = {
            side: rows.with_columns(
                text_features(rows.select("user_id", "month"), signals, settings).drop("user_id", "month")
            )
            for side, rows in plain.items()
        }
        sets = {"default": (*PLAIN, *DEFAULT), "all": (*PLAIN, *TEXTS)}
        if sets["default"] == sets["all"]:
            del sets["all"]
        sets |= {name: (*PLAIN, name) for name in TEXTS if args.each}
        found = {name: auc_of(sides, names, probability, args.draws) for name, names in sets.items()}
        line: dict[str, Any] = {
            "taste": power,
            "texts": signals.height,
            "rows": buyers(plain),
            "auc": {name: round(pair[0], 5) for name, pair in {"without": without, **found}.items()},
            "reachable by events": round(float(roc_auc_score(plain["test"]["label"], probability)), 5),
            "gain": round(found["default"][0] - without[0], 5),
        }
        if not power:
            line["expected"] = {
                name: round(pair[1], 5) for name, pair in {"without": without, **found}.items()
            }
        lines.append(line)
    return lines


def main() -> None:
    """Parse, make and measure each world."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=6000)
    parser.add_argument("--months", type=int, default=18)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--taste", type=float, nargs="+", default=[0.0, 2.0])
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--wrong", type=float, default=0.1)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--each", action="store_true")
    parser.add_argument("--home", type=Path, help="keep the worlds here, and use those that are there")
    parser.add_argument("--out", type=Path, help="append the lines here too")
    args = parser.parse_args()
    with worlds(args.home) as home:
        for seed in args.seeds:
            here = home / f"{args.users}-{args.months}-false-{seed}"  # as `bench_families` names them
            settings = settings_of(here, args.users, args.months, seed)
            make_world(settings)
            for found in study(settings, args):
                told = {"seed": seed, "users": args.users, "months": args.months, "rate": args.rate}
                tell(told | found, args.out)


if __name__ == "__main__":
    main()
