"""What one would write instead of the pipeline: raw JSON Lines to scores by DuckDB, scikit-learn and xgboost.

    python -m tests.bench.plain_script RAW --out FOLDER [--memory 4GB] [--threads 2]

The analysts' 25 features and the label of each user and month; logistic regression and boosted trees with
the pipeline's default parameters and split; metrics of the test months with 200 replicates over users; scores
of the last month. No judging of lines, no duplicates, no guards, no calibration, no reasons, nothing kept for
the next month. Prints the seconds of each part and writes scores.parquet and figures.json into FOLDER.

`--memory`: DuckDB is given three quarters of it and spills the rest to FOLDER; the process may have no more
data of its own (RLIMIT_DATA: all memory that isn't shared or a file's), and fails where that isn't enough.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import numpy as np

from tests.bench import plain_models
from tests.bench.memory import peak_of
from tests.bench.plain_models import Rows
from tests.bench.timed import seconds
from tests.features import oracle

HORIZON_DAYS = 30
DUCKDB_SHARE = 0.75
_UNITS = {"M": 2**20, "G": 2**30}

Result = TypeVar("Result")


def main() -> None:
    """Parse, limit, do it all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("raw", type=Path, help="folder of a delivery")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--memory", type=bytes_of, metavar="4GB", help="unset: all of the machine's")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.memory:
        resource.setrlimit(resource.RLIMIT_DATA, (args.memory, args.memory))
    try:
        figures = work(args.raw, args.out, args.memory, args.threads)
    except (MemoryError, duckdb.OutOfMemoryException) as error:
        sys.exit(f"out of memory: {error}")
    (args.out / "figures.json").write_text(json.dumps(figures))


def work(raw: Path, out: Path, memory: int | None, threads: int) -> dict[str, Any]:
    """Raw files to scores; what was measured on the way."""
    spent: dict[str, float] = {}

    def timed(name: str, part: Callable[[], Result]) -> Result:
        results: list[Result] = []
        spent[name] = seconds(lambda: results.append(part()))
        print(f"{name:<10} {spent[name]:7.2f} s", flush=True)
        return results[0]

    con = timed("read", lambda: read(raw, out, memory, threads))
    table = timed("features", lambda: features(con))
    con.close()
    split = plain_models.split_of(table.mature_months, HORIZON_DAYS)
    train, validation, test = (table.rows(months) for months in (split.train, split.validation, split.test))
    line = timed("logistic", lambda: plain_models.fit_logistic(train))
    trees = timed("xgboost", lambda: plain_models.grow_trees(train, validation, threads))
    scores = {
        "logistic": line.predict_proba(test.matrix)[:, 1],
        "xgboost": plain_models.probabilities(trees, test.matrix),
    }
    measured = timed(
        "metrics", lambda: {name: plain_models.with_intervals(test, score) for name, score in scores.items()}
    )
    timed("scores", lambda: table.write_scores(trees, out / "scores.parquet"))
    for name, found in measured.items():
        value, low, high = found["roc_auc"]
        print(f"ROC AUC of {name}: {value:.4f} (95% {low:.3f} to {high:.3f})")
    sides = {"train": train, "validation": validation, "test": test}
    return {
        "seconds": spent,
        "peak": peak_of(os.getpid()),
        "sides": {side: [len(rows.label), int(rows.label.sum())] for side, rows in sides.items()},
        "metrics": measured,
    }


def bytes_of(text: str) -> int:
    """4GB or 512MB in bytes."""
    found = re.fullmatch(r"(\d+)([MG])B", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a size such as 4GB or 512MB")
    return int(found[1]) * _UNITS[found[2]]


def read(raw: Path, out: Path, memory: int | None, threads: int) -> duckdb.DuckDBPyConnection:
    """All five files as tables, in a database beside the scores: larger worlds are more than memory holds."""
    base = out / "script.duckdb"
    base.unlink(missing_ok=True)
    config: dict[str, str | int] = {"threads": threads, "temp_directory": str(out / "spilled")}
    if memory:
        config["memory_limit"] = f"{int(DUCKDB_SHARE * memory / 2**20)}MiB"
    return oracle.connect(raw, str(base), config)


def features(con: duckdb.DuckDBPyConnection) -> Table:
    """The 25 and the label."""
    analysts, labels = oracle.analysts_query(), oracle.labels_query(HORIZON_DAYS)
    query = f"select * from ({analysts}) join ({labels}) using (user_id, month) order by user_id, month"
    return Table(con.execute(query).fetchnumpy())


class Table:
    """User-months, a column an array."""

    def __init__(self, columns: Mapping[str, Any]) -> None:
        beside = ("user_id", "month", "cut_off", "horizon_end", "mature", "label", "buys_ever", "complete")
        names = [name for name in columns if name not in beside]
        plain = [np.ma.filled(columns[name].astype(np.float32), np.nan) for name in names]
        self.matrix = np.column_stack(plain)
        self.user_id = np.asarray(columns["user_id"])
        self.month = np.asarray(columns["month"]).astype("datetime64[D]")
        self.mature = np.asarray(columns["mature"])
        self.label = np.ma.filled(columns["label"], 0).astype(np.float64)

    @property
    def mature_months(self) -> list[date]:
        """Those whose buyers are known."""
        return list(np.unique(self.month[self.mature]).tolist())

    def rows(self, months: tuple[date, ...]) -> Rows:
        """Of some months."""
        chosen = np.isin(self.month, np.array(months, dtype="datetime64[D]"))
        return Rows(self.user_id[chosen], self.matrix[chosen], self.label[chosen])

    def write_scores(self, trees: Any, path: Path) -> None:
        """Of the users of the last month."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        last = self.month == self.month.max()
        probability = plain_models.probabilities(trees, self.matrix[last])
        scored = {"user_id": self.user_id[last], "month": self.month[last], "probability": probability}
        pq.write_table(pa.table(scored), path)


if __name__ == "__main__":
    main()
