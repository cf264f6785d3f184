"""What features bring to trees: worlds in the headline's proportions, ROC AUC beside the truth."""

from __future__ import annotations

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
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.ingest.stage import ingest
from pozytywka_spark.lake import open_lake
from pozytywka_spark.spark.session import build_session
from pozytywka_spark.synthetic.world import write_world
from pozytywka_spark.topics.stage import make_topics
from tests.bench import plain_models
from tests.bench.plain_models import Rows
from tests.bench.plain_script import HORIZON_DAYS

LABEL = f"buys_within_{HORIZON_DAYS}_days"
SIDES = ("train", "validation", "test")
Array = npt.NDArray[Any]


def settings_of(here: Path, users: int, months: int, seed: int, *more: str) -> Settings:
    """The headline's proportions but for users and months."""
    size = users / 20_000
    sets = [
        f"home={here}",
        "spark.master=local[2]",
        "guards.perturbation=false",
        f"synthetic.users={users}",
        f"synthetic.months={months}",
        f"synthetic.tracks={max(3000, int(129_648 * size))}",
        f"synthetic.artists={max(800, int(27_524 * size))}",
        f"synthetic.played_tracks={max(1000, int(10_708 * size))}",
        f"synthetic.genres={max(400, int(3_912 * size))}",
        f"synthetic.seed={seed}",
        "synthetic.truth_paths=64",
    ]
    return load_settings("local", [*sets, *more])


def make_world(settings: Settings, *, groups: bool = False) -> None:
    """The world, and its lake up to features, with `groups` of genres or without; nothing if it is there."""
    made = Path(settings.home) / "made"
    if made.exists():
        return
    spark = build_session(settings, "bench of features")
    write_world(spark, settings, settings.raw_path)
    lake = open_lake(settings, spark)
    ingest(spark, settings, lake)
    if groups:
        make_topics(settings, lake)
    build_features(spark, settings, lake)
    made.touch()


def read(settings: Settings, names: Sequence[str]) -> tuple[dict[str, pl.DataFrame], Array]:
    """The mature rows of each side, a row a user and month, and the test's true probabilities to buy.

    Columns: user_id, month, probability, label, and the features `names`.
    """
    con = duckdb.connect(config={"threads": 1})
    for name in ("features", "labels"):
        files = DeltaTable(str(Path(settings.lake.root) / name)).file_uris()
        con.read_parquet(files, hive_partitioning=True).create_view(name)
    truth = f"{settings.raw_path}_truth/purchases_{HORIZON_DAYS}_days/*.parquet"
    con.read_parquet(truth).create_view("truth")
    months = [row[0] for row in con.execute("select distinct month from labels where mature").fetchall()]
    split = plain_models.split_of(months, HORIZON_DAYS)
    columns = ", ".join(f'"{name}"::float as "{name}"' for name in names)
    sides = {}
    for side in SIDES:
        wanted = ", ".join(f"date '{month}'" for month in getattr(split, side))
        sides[side] = con.sql(
            f"select user_id, month::date as month, probability, {LABEL} as label, {columns} from features "
            f"join labels using (user_id, month) join truth using (user_id, month) "
            f"where month in ({wanted}) order by user_id, month"
        ).pl()
    return sides, sides["test"].get_column("probability").to_numpy()


def buyers(sides: Mapping[str, pl.DataFrame]) -> dict[str, list[int]]:
    """Rows and buyers of each side."""
    return {side: [rows.height, int(rows.get_column("label").sum())] for side, rows in sides.items()}


def auc_of(
    sides: Mapping[str, pl.DataFrame], names: Sequence[str], probability: Array, draws: int
) -> tuple[float, float]:
    """ROC AUC of the test months and the expected one, mean over draws of the trees."""
    some = {side: _rows(frame, names) for side, frame in sides.items()}
    found = []
    for draw in range(draws):
        plain_models.PARAMETERS["seed"] = 7 + draw
        trees = plain_models.grow_trees(some["train"], some["validation"], threads=1)
        score = plain_models.probabilities(trees, some["test"].matrix)
        found.append([roc_auc_score(some["test"].label, score), expected_auc(probability, score)])
    auc, expected = np.mean(found, axis=0).tolist()
    return auc, expected


def expected_auc(probability: Array, score: Array) -> float:
    """ROC AUC over all draws of labels at once."""
    label = np.repeat([1.0, 0.0], len(score))
    weight = np.concatenate([probability, 1 - probability])
    return float(roc_auc_score(label, np.tile(score, 2), sample_weight=weight))


def tell(line: Mapping[str, Any], out: Path | None) -> None:
    """A line of JSON to the terminal, and to the end of `out`."""
    text = json.dumps(line)
    print(text, flush=True)
    if out:
        with out.open("a") as file:
            file.write(f"{text}\n")


def _rows(frame: pl.DataFrame, names: Sequence[str]) -> Rows:
    matrix = frame.select(pl.col(names).cast(pl.Float32)).to_numpy(order="c")
    label = frame.get_column("label").cast(pl.Float64).to_numpy()
    return Rows(frame.get_column("user_id").to_numpy(), np.ascontiguousarray(matrix), label)
