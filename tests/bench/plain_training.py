"""Trees and their metrics by plain xgboost and scikit-learn, on the rows of the lake that `train` is given.

    python -m tests.bench.plain_training LAKE --out FOLDER [--threads 2]

Prints the seconds of reading, growing and measuring the test months, and writes figures.json into FOLDER.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from deltalake import DeltaTable

from tests.bench import plain_models
from tests.bench.plain_models import Rows
from tests.bench.plain_script import HORIZON_DAYS
from tests.bench.timed import seconds

LABEL = f"buys_within_{HORIZON_DAYS}_days"


def main() -> None:
    """Parse, do it all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lake", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "figures.json").write_text(json.dumps(work(args.lake, args.threads)))


def work(lake: Path, threads: int) -> dict[str, Any]:
    """What was measured."""
    sides: dict[str, Rows] = {}
    made: dict[str, Any] = {}

    def grow() -> None:
        made["trees"] = plain_models.grow_trees(sides["train"], sides["validation"], threads)

    def measure() -> None:
        score = plain_models.probabilities(made["trees"], sides["test"].matrix)
        made["metrics"] = plain_models.with_intervals(sides["test"], score)

    spent = {
        "read": seconds(lambda: sides.update(read(lake, threads))),
        "xgboost": seconds(grow),
        "metrics": seconds(measure),
    }
    for name, taken in spent.items():
        print(f"{name:<10} {taken:7.2f} s")
    return {
        "seconds": spent,
        "sides": {side: [len(rows.label), int(rows.label.sum())] for side, rows in sides.items()},
        "metrics": {"xgboost": made["metrics"]},
    }


def read(lake: Path, threads: int) -> dict[str, Rows]:
    """The mature rows of each side, with all features that the lake has."""
    con = duckdb.connect(config={"threads": threads})
    for name in ("features", "labels"):
        files = DeltaTable(str(lake / name)).file_uris()
        con.read_parquet(files, hive_partitioning=True).create_view(name)
    months = [row[0] for row in con.execute("select distinct month from labels where mature").fetchall()]
    names = [
        row[0] for row in con.execute("describe features").fetchall() if row[0] not in ("user_id", "month")
    ]
    columns = ", ".join(f'"{name}"::float as "{name}"' for name in names)
    split = plain_models.split_of(months, HORIZON_DAYS)
    found = {}
    for side in ("train", "validation", "test"):
        wanted = ", ".join(f"date '{month}'" for month in getattr(split, side))
        rows = con.execute(
            f"select user_id, {LABEL} as label, {columns} from features join labels using (user_id, month) "
            f"where month in ({wanted}) order by user_id, month"
        ).fetchnumpy()
        matrix = np.column_stack([np.ma.filled(rows[name], np.nan) for name in names])
        label = np.asarray(rows["label"], dtype=np.float64)
        found[side] = Rows(np.asarray(rows["user_id"]), matrix, label)
    return found


if __name__ == "__main__":
    main()
