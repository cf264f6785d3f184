"""Training and scoring by plain xgboost, from the lake's Parquet files: a process of its own, so that its
memory is its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost
from deltalake import DeltaTable

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.prepare import Planned
from pozytywka_spark.dataset.splits import base_rate_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.models.tree_parameters import positive_weight, tree_parameters
from pozytywka_spark.names import TRAIN, VALIDATION
from tests.bench.memory import peak_of
from tests.bench.timed import seconds

THREADS = 2


def work_in_xgboost(
    lake: Lake, settings: Settings, planned: Planned, month: date
) -> tuple[dict[str, float], float]:
    """Seconds by what was done, and the process's peak memory in GB."""
    weight = positive_weight(settings, base_rate_of(planned.split.train, planned.counts))
    parameters = tree_parameters(settings, planned.pinned.order, weight)
    sides = planned.split.sides
    ordered = {
        "files": {name: DeltaTable(lake.path(name)).file_uris() for name in ("features", "labels")},
        "order": planned.pinned.order,
        "label": settings.label.column,
        "sides": {side: [f"{month}" for month in sides[side]] for side in (TRAIN, VALIDATION)},
        "month": f"{month}",
        "parameters": parameters | {"objective": "binary:logistic", "nthread": THREADS},
        "trees": settings.training.max_trees,
        "reasons": settings.scoring.reasons,
    }
    command = [sys.executable, "-m", "tests.bench.in_xgboost"]
    done = subprocess.run(command, input=json.dumps(ordered), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"plain xgboost failed: {done.stderr[-1500:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    return told["seconds"], told["peak"]


def read(con: duckdb.DuckDBPyConnection, what: str, tables: str, months: Sequence[str], order: Any) -> Any:
    """Features of `months` as 32-bit floats, a row each, and the column `what` beside them."""
    wanted = ", ".join(f"date '{month}'" for month in months)
    features = ", ".join(f'"{name}"::float as "{name}"' for name in order)
    found = con.execute(
        f"select {what} as beside, {features} from {tables} where month in ({wanted}) order by user_id, month"
    ).fetchnumpy()
    columns = [np.ma.filled(found[name], np.nan) for name in order]
    return np.column_stack(columns), np.asarray(found["beside"])


def grow(sides: Mapping[str, Any], parameters: Mapping[str, Any], trees: int) -> xgboost.Booster:
    """All `trees` on the train side, with the loss of both; a side is its features and labels."""
    how = {name: parameters[name] for name in ("nthread", "max_bin")}
    known = xgboost.QuantileDMatrix(*sides[TRAIN], **how)
    held_out = xgboost.QuantileDMatrix(*sides[VALIDATION], ref=known, **how)
    watched = [(known, "training"), (held_out, "validation")]
    return xgboost.train(dict(parameters), known, trees, evals=watched, verbose_eval=False)


def main(
    files: Mapping[str, Sequence[str]],
    order: Sequence[str],
    label: str,
    sides: Mapping[str, Sequence[str]],
    month: str,
    parameters: Mapping[str, Any],
    trees: int,
    reasons: int,
) -> None:
    """What the process does; tells its seconds and its peak memory as JSON."""
    con = duckdb.connect(config={"threads": THREADS})
    for name, parts in files.items():
        con.read_parquet(list(parts), hive_partitioning=True).create_view(name)
    made: dict[str, Any] = {}

    def fit() -> None:
        made["model"] = grow(made, parameters, trees)

    def read_sides() -> None:
        tables = "features join labels using (user_id, month)"
        made.update({side: read(con, label, tables, months, order) for side, months in sides.items()})

    def predict() -> None:
        rows, users = read(con, "user_id", "features", [month], order)
        shares = made["model"].predict(xgboost.DMatrix(rows, nthread=THREADS), pred_contribs=True)
        strongest = np.argsort(-np.abs(shares[:, :-1]), axis=1)[:, :reasons]
        scored = {"user_id": users, "margin": shares.sum(axis=1), "reasons": list(strongest)}
        pq.write_table(pa.table(scored), f"{folder}/scored.parquet")

    with tempfile.TemporaryDirectory() as folder:
        taken = {
            "xgboost: read": seconds(read_sides),
            "xgboost: fit": seconds(fit),
            "xgboost: read and score": seconds(predict),
        }
    print(json.dumps({"seconds": taken, "peak": peak_of(os.getpid())}))


if __name__ == "__main__":
    main(**json.loads(sys.stdin.read()))
