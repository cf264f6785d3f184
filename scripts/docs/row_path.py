"""Which files of the package a sessions line passes on its way to a prediction, by watching functions run.

`python -m scripts.docs.row_path [USER]` makes the world of `life.py` and takes it through ingest, features,
train and score in this process, where small parcels of work stay. Users and catalogue are taken in unwatched,
then the sessions. A file counts

- as *run* if any function of it was called,
- as *handed the row* if a function of it was given, or gave back, rows of data: a Polars, pandas or Arrow
  frame that has the user, or no column of users; an array; raw text with the user's number; or a small object
  that has such a thing. A file that only passes a frame on counts: a reader has to pass it as well.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from pozytywka_spark.config import load_settings
from scripts.docs.life import MONTH, SETTINGS, deliver

_LOOKS = 300  # a function that had no rows so often has none
PACKAGE = f"{Path(__file__).resolve().parents[2] / 'pozytywka_spark'}/"


class Watch:
    """Files by stage whose functions were called, and those of which were handed the row of `user`."""

    def __init__(self, user: int) -> None:
        self.user, self.text = user, str(user).encode()
        self.stage = ""
        self.run: dict[str, set[str]] = defaultdict(set)
        self.handed: dict[str, set[str]] = defaultdict(set)
        self.looks: Counter[CodeType] = Counter()

    def __call__(self, frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        """A tracing function, see `sys.settrace`: only the package's own functions are looked at."""
        code = frame.f_code
        if not code.co_filename.startswith(PACKAGE) or code.co_name[0] == "<":
            return None
        file = code.co_filename.removeprefix(PACKAGE)
        self.run[self.stage].add(file)
        self.looks[code] += 1
        if file in self.handed[self.stage] or self.looks[code] > _LOOKS:
            return None
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        if any(self.holds(frame.f_locals.get(name)) for name in names):
            self.handed[self.stage].add(file)
            return None
        frame.f_trace_lines = False
        return partial(self.back, file)

    def back(self, file: str, _: FrameType, event: str, returned: object) -> None:
        """What a function of the file gave back."""
        if event == "return" and self.holds(returned):
            self.handed[self.stage].add(file)

    def holds(self, value: object, depth: int = 2) -> bool:
        """Whether the value is rows of data that may have the row among them."""
        if isinstance(value, (pl.DataFrame, pd.DataFrame, pa.Table, pa.RecordBatch)):
            return self._in_frame(value)
        if isinstance(value, (pl.Series, pa.ChunkedArray, pa.Array)):
            return len(value) > 1
        if isinstance(value, np.ndarray):
            return value.ndim > 0 and len(value) > 1
        if isinstance(value, (bytes, bytearray)):
            return self.text in value
        if isinstance(value, str):
            return self.text.decode() in value and "timestamp" in value
        if depth == 0:
            return False
        if is_dataclass(value) and not isinstance(value, type):
            return any(self.holds(getattr(value, each.name, None), depth - 1) for each in fields(value))
        if isinstance(value, (list, tuple)):
            return any(self.holds(each, depth - 1) for each in value[:100])
        if isinstance(value, dict):
            return any(self.holds(each, depth - 1) for each in list(value.values())[:100])
        return False

    def _in_frame(self, rows: Any) -> bool:
        names = rows.schema.names if isinstance(rows, (pa.Table, pa.RecordBatch)) else list(rows.columns)
        if not len(rows):
            return False
        if "user_id" not in names:
            return True
        users = rows["user_id"] if not isinstance(rows, pa.RecordBatch) else rows.column("user_id")
        users = users.to_pylist() if isinstance(users, (pa.Array, pa.ChunkedArray)) else users.to_list()
        return self.user in users


@contextmanager
def watched(watch: Watch, stage: str) -> Iterator[None]:
    """`watch` sees every call, in all threads, until the block ends."""
    watch.stage = stage
    threading.settrace(watch)
    sys.settrace(watch)
    try:
        yield
    finally:
        sys.settrace(None)
        handed = watch.handed[stage]
        print(f"{stage}: {len(watch.run[stage])} files run, {len(handed)} handed the row", flush=True)  # noqa: T201
        print("".join(f"  {file}\n" for file in sorted(handed)), end="", flush=True)  # noqa: T201
        threading.settrace(None)  # type: ignore[arg-type]  # that is how it ends


def follow(home: Path, user: int) -> Watch:
    """Take the world of `life.py` through every stage below `home`, watching the rows of a user."""
    from pozytywka_spark.features.stage import build_features
    from pozytywka_spark.ingest.stage import ingest
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.scoring.stage import score
    from pozytywka_spark.spark.session_on_demand import session_on_demand
    from pozytywka_spark.training.stage import train

    settings = load_settings("local", [f"home={home}", f"raw.path={home}/raw", *SETTINGS])
    deliver(home / "raw")
    sessions, aside = home / "raw" / "sessions.jsonl", home / "sessions.jsonl"
    sessions.rename(aside)
    spark = session_on_demand(settings, "row-path")
    lake = open_lake(settings, spark)
    ingest(spark, settings, lake)
    aside.rename(sessions)
    watch = Watch(user)
    with watched(watch, "ingest"):
        ingest(spark, settings, lake)
    with watched(watch, "features"):
        build_features(spark, settings, lake)
    with watched(watch, "train"):
        train(spark, settings, lake)
    with watched(watch, "score"):
        score(spark, settings, lake, MONTH)
    return watch


def main() -> int:
    """Print the files by stage, and how many there are in all."""
    user = int(sys.argv[1]) if len(sys.argv) > 1 else 282
    with tempfile.TemporaryDirectory(prefix="row-path-") as folder:
        watch = follow(Path(folder), user)
    lines = []
    scoring = [watch.handed[stage] for stage in ("ingest", "features", "score")]
    lines += [
        f"all stages: {len(set().union(*watch.run.values()))} files run, "
        f"{len(set().union(*watch.handed.values()))} handed the row",
        f"from line to prediction, by a model that is there: {len(set().union(*scoring))}",
    ]
    print("\n".join(lines))  # noqa: T201 a command's own output
    return 0


if __name__ == "__main__":
    sys.exit(main())
