"""What features of genre groups and languages bring: worlds with families of genres, and without.

    python -m tests.bench.bench_families [--users 6000] [--months 20] [--seeds 1 2 3 4 5]
        [--families false true] [--each] [--home FOLDER] [--out FILE]

Each world is made, ingested, its genres grouped, its features built; trees grow on the rows that `train`
would be given (`plain_models`): with the catalogue of every lake (`without`), with what models are given of
the optional features (`default`), with all of them (`all`), and with `--each` with the default and each of
the others. A line of JSON a world: ROC AUC of the test months, mean over several draws of the trees, beside
the reachable one, that of the true probabilities.

`expected` is the ROC AUC were the labels drawn again and again: each row counts as a buyer's by its true
probability and as another's by the rest. It measures the same without the luck of few buyers. `closed`: of
the gap between the catalogue without and the reachable, the share that the default closes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from sklearn.metrics import roc_auc_score

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.features.declared.catalogue import CATALOGUE
from pozytywka_spark.features.declared.groups import FEATURES as OPTIONAL
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.ingest.stage import ingest
from pozytywka_spark.lake import open_lake
from pozytywka_spark.spark.session import build_session
from pozytywka_spark.synthetic.world import write_world
from pozytywka_spark.topics.stage import make_topics
from tests.bench import plain_models
from tests.bench.kept_worlds import worlds
from tests.bench.plain_models import Rows
from tests.bench.plain_script import HORIZON_DAYS

LABEL = f"buys_within_{HORIZON_DAYS}_days"
SIDES = ("train", "validation", "test")
DEFAULT = tuple(each.name for each in OPTIONAL if each.by_default)
Array = npt.NDArray[Any]


def make_world(spark: SparkSession, settings: Settings) -> None:
    """The world, and its lake up to features; what is there already stays."""
    write_world(spark, settings, settings.raw_path)
    lake = open_lake(settings, spark)
    ingest(spark, settings, lake)
    make_topics(settings, lake)
    build_features(spark, settings, lake)


def read(raw: Path, lake: Path) -> tuple[dict[str, Rows], tuple[str, ...], Array]:
    """The mature rows of each side with all features, their names, and the true probabilities of the test."""
    con = duckdb.connect(config={"threads": 1})
    for name in ("features", "labels"):
        con.read_parquet(DeltaTable(str(lake / name)).file_uris(), hive_partitioning=True).create_view(name)
    con.read_parquet(f"{raw}_truth/purchases_{HORIZON_DAYS}_days/*.parquet").create_view("truth")
    months = [row[0] for row in con.execute("select distinct month from labels where mature").fetchall()]
    split = plain_models.split_of(months, HORIZON_DAYS)
    names = tuple(each.name for each in (*CATALOGUE, *OPTIONAL))
    columns = ", ".join(f'"{name}"::float as "{name}"' for name in names)
    sides, probability = {}, np.zeros(0)
    for side in SIDES:
        wanted = ", ".join(f"date '{month}'" for month in getattr(split, side))
        rows = con.execute(
            f"select user_id, probability, {LABEL} as label, {columns} from features "
            f"join labels using (user_id, month) join truth using (user_id, month) "
            f"where month in ({wanted}) order by user_id, month"
        ).fetchnumpy()
        matrix = np.column_stack([np.ma.filled(np.ma.asarray(rows[name]), np.nan) for name in names])
        sides[side] = Rows(np.asarray(rows["user_id"]), matrix, np.asarray(rows["label"], dtype=float))
        probability = np.asarray(rows["probability"], dtype=float)
    return sides, names, probability


def expected_auc(probability: Array, score: Array) -> float:
    """ROC AUC over all draws of labels at once."""
    label = np.repeat([1.0, 0.0], len(score))
    weight = np.concatenate([probability, 1 - probability])
    return float(roc_auc_score(label, np.tile(score, 2), sample_weight=weight))


def measured(sides: Mapping[str, Rows], columns: Sequence[int], probability: Array, draws: int) -> Array:
    """ROC AUC of the test months and the expected one, mean over draws of the trees."""
    some = {side: replace(rows, matrix=rows.matrix[:, columns]) for side, rows in sides.items()}
    found = []
    for draw in range(draws):
        plain_models.PARAMETERS["seed"] = 7 + draw
        trees = plain_models.grow_trees(some["train"], some["validation"], threads=1)
        score = plain_models.probabilities(trees, some["test"].matrix)
        found.append([roc_auc_score(some["test"].label, score), expected_auc(probability, score)])
    mean: Array = np.mean(found, axis=0)
    return mean


def study(raw: Path, lake: Path, draws: int, *, each: bool) -> dict[str, Any]:
    """What was measured of a world."""
    sides, names, probability = read(raw, lake)
    place = {name: number for number, name in enumerate(names)}
    plain = tuple(feature.name for feature in CATALOGUE)
    sets = {"without": plain, "default": (*plain, *DEFAULT), "all": names}
    if each:
        sets |= {one: (*plain, *DEFAULT, one) for one in names if one not in (*plain, *DEFAULT)}
    auc, expected = {}, {}
    for name, chosen in sets.items():
        pair = measured(sides, [place[one] for one in chosen], probability, draws)
        auc[name], expected[name] = round(float(pair[0]), 5), round(float(pair[1]), 5)
    auc["reachable"] = round(float(roc_auc_score(sides["test"].label, probability)), 5)
    expected["reachable"] = round(expected_auc(probability, probability), 5)
    gap = expected["reachable"] - expected["without"]
    return {
        "rows": {side: [len(rows.label), int(rows.label.sum())] for side, rows in sides.items()},
        "auc": auc,
        "expected": expected,
        "closed": round((expected["default"] - expected["without"]) / gap, 3),
    }


def main() -> None:
    """Parse, make and measure each world."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=6000)
    parser.add_argument("--months", type=int, default=20)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--families", nargs="+", default=["false", "true"], choices=["false", "true"])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--each", action="store_true")
    parser.add_argument("--home", type=Path, help="keep the worlds here, and use those that are there")
    parser.add_argument("--out", type=Path, help="append the lines here too")
    args = parser.parse_args()
    with worlds(args.home) as home:
        spark = None
        for families in args.families:
            for seed in args.seeds:
                here = home / f"{args.users}-{args.months}-{families}-{seed}"
                settings = load_settings("local", _sets(here, args, families, seed))
                if not (here / "made").exists():
                    spark = spark or build_session(settings, "bench families")
                    make_world(spark, settings)
                    (here / "made").touch()
                found = study(Path(settings.raw_path), Path(settings.lake.root), args.draws, each=args.each)
                told = {"families": families, "seed": seed, "users": args.users, "months": args.months}
                print(json.dumps(told | found), flush=True)
                if args.out:
                    with args.out.open("a") as file:
                        file.write(f"{json.dumps(told | found)}\n")


def _sets(here: Path, args: argparse.Namespace, families: str, seed: int) -> list[str]:
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
        f"synthetic.families={families}",
        f"synthetic.seed={seed}",
        "synthetic.truth_paths=64",
    ]


if __name__ == "__main__":
    main()
