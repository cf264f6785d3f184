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
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl
from deltalake import DeltaTable
from sklearn.metrics import roc_auc_score

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.config.texts import Texts
from pozytywka_spark.features.build.levels import aggregated
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
from tests.bench import plain_models
from tests.bench.kept_worlds import worlds
from tests.bench.plain_models import Rows
from tests.bench.plain_script import HORIZON_DAYS

LABEL = f"buys_within_{HORIZON_DAYS}_days"
SIDES = ("train", "validation", "test")
DEFAULT = tuple(each.name for each in FEATURES if each.by_default)
TEXTS = tuple(each.name for each in FEATURES)
PLAIN = tuple(each.name for each in CATALOGUE)
Array = npt.NDArray[Any]


def make_world(settings: Settings) -> None:
    """The world, and its lake up to features; what is there already stays."""
    from pozytywka_spark.features.stage import build_features
    from pozytywka_spark.ingest.stage import ingest
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.spark.session import build_session
    from pozytywka_spark.synthetic.world import write_world

    spark = build_session(settings, "bench feedback features")
    write_world(spark, settings, settings.raw_path)
    lake = open_lake(settings, spark)
    ingest(spark, settings, lake)
    build_features(spark, settings, lake)


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
    measures = aggregated(text_level(rows, where), plan.at("text"), where)
    made = ordered.with_columns(measures).select(
        "user_id", "month", *(each.made.alias(each.name) for each in plan.features)
    )
    return keys.join(made, on=["user_id", "month"], how="left", maintain_order="left")


def read(raw: Path, lake: Path) -> tuple[dict[str, pl.DataFrame], Array]:
    """The mature rows of each side with the features of every lake, and the test's true probabilities."""
    con = duckdb.connect(config={"threads": 1})
    for name in ("features", "labels"):
        con.read_parquet(DeltaTable(str(lake / name)).file_uris(), hive_partitioning=True).create_view(name)
    con.read_parquet(f"{raw}_truth/purchases_{HORIZON_DAYS}_days/*.parquet").create_view("truth")
    months = [row[0] for row in con.execute("select distinct month from labels where mature").fetchall()]
    split = plain_models.split_of(months, HORIZON_DAYS)
    columns = ", ".join(f'"{name}"::float as "{name}"' for name in PLAIN)
    sides = {}
    for side in SIDES:
        wanted = ", ".join(f"date '{month}'" for month in getattr(split, side))
        found = con.execute(
            f"select user_id, month::date as month, probability, {LABEL} as label, {columns} from features "
            f"join labels using (user_id, month) join truth using (user_id, month) "
            f"where month in ({wanted}) order by user_id, month"
        ).to_arrow_table()
        sides[side] = pl.DataFrame(pl.from_arrow(found))
    return sides, sides["test"].get_column("probability").to_numpy()


def expected_auc(probability: Array, score: Array) -> float:
    """ROC AUC over all draws of labels at once."""
    label = np.repeat([1.0, 0.0], len(score))
    weight = np.concatenate([probability, 1 - probability])
    return float(roc_auc_score(label, np.tile(score, 2), sample_weight=weight))


def measured(
    sides: Mapping[str, pl.DataFrame], names: Sequence[str], probability: Array, draws: int
) -> tuple[float, float]:
    """ROC AUC of the test months and the expected one, mean over draws of the trees."""
    some = {
        side: Rows(
            rows.get_column("user_id").to_numpy(),
            np.ascontiguousarray(rows.select(pl.col(names).cast(pl.Float32)).to_numpy(order="c")),
            rows.get_column("label").cast(pl.Float64).to_numpy(),
        )
        for side, rows in sides.items()
    }
    found = []
    for draw in range(draws):
        plain_models.PARAMETERS["seed"] = 7 + draw
        trees = plain_models.grow_trees(some["train"], some["validation"], threads=1)
        score = plain_models.probabilities(trees, some["test"].matrix)
        found.append([roc_auc_score(some["test"].label, score), expected_auc(probability, score)])
    auc, expected = np.mean(found, axis=0).tolist()
    return auc, expected


def study(settings: Settings, args: argparse.Namespace) -> list[dict[str, Any]]:
    """What was measured of a world, a line a power of the taste."""
    plain, probability = read(Path(settings.raw_path), Path(settings.lake.root))
    without = measured(plain, PLAIN, probability, args.draws)
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
        found = {name: measured(sides, names, probability, args.draws) for name, names in sets.items()}
        line: dict[str, Any] = {
            "taste": power,
            "texts": signals.height,
            "rows": {
                side: [rows.height, int(rows.get_column("label").sum())] for side, rows in plain.items()
            },
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
            settings = load_settings("local", _sets(here, args, seed))
            if not (here / "made").exists():
                make_world(settings)
                (here / "made").touch()
            for found in study(settings, args):
                told = {"seed": seed, "users": args.users, "months": args.months, "rate": args.rate, **found}
                print(json.dumps(told), flush=True)
                if args.out:
                    with args.out.open("a") as file:
                        file.write(f"{json.dumps(told)}\n")


def _sets(here: Path, args: argparse.Namespace, seed: int) -> list[str]:
    """The headline's proportions but for users and months."""
    size = args.users / 20_000
    return [
        f"home={here}",
        "spark.master=local[2]",
        "guards.perturbation=false",
        f"synthetic.users={args.users}",
        f"synthetic.months={args.months}",
        f"synthetic.tracks={max(3000, int(129_648 * size))}",
        f"synthetic.artists={max(800, int(27_524 * size))}",
        f"synthetic.played_tracks={max(1000, int(10_708 * size))}",
        f"synthetic.genres={max(400, int(3_912 * size))}",
        f"synthetic.seed={seed}",
        "synthetic.truth_paths=64",
    ]


if __name__ == "__main__":
    main()
