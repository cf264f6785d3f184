"""The whole way from a lake into the online store: `materialize` of 115 features, beside bare writers' rates.

    python -m tests.bench.bench_featurestore_load [--keys 100000 1000000] [--store lmdb redis]

A lake of so many users in one month and half of them in the next; then everything is loaded, nothing new, a
tenth of the users in a third month, everything verified. Keys a second of the clock, Spark started before,
and the most private memory of a Python process. Its peer is the bare writer of `bench_featurestore_online`.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import polars as pl
import psutil

from pozytywka_spark import schemas
from pozytywka_spark.config import load_settings
from pozytywka_spark.featurestore.declared import declared_of
from pozytywka_spark.featurestore.stage import materialize
from pozytywka_spark.featurestore.verify import verify
from pozytywka_spark.lake import Lake, open_lake
from pozytywka_spark.lake.open_tasks import workers_awake
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.spark.session import build_session
from tests.redis_server import running_redis

VIEW = "user_month"
FILE_ROWS = 125_000


def main() -> None:
    """Each store and each number of keys."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keys", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--store", nargs="*", default=["lmdb", "redis"])
    args = parser.parse_args()
    for keys in args.keys:
        for store in args.store:
            _one(keys, store)


def _one(keys: int, store: str) -> None:
    home = Path(tempfile.mkdtemp(prefix="bench-load-"))
    try:
        with running_redis() if store == "redis" else nullcontext() as address:
            more = [f"featurestore.address={address}"] if address else []
            settings = load_settings("local", [f"home={home}", *more])
            spark = build_session(settings, "bench")
            lake = open_lake(settings, spark)
            names = declared_of(settings).view(VIEW).names
            _make(lake, names, date(2023, 1, 1), keys)
            _make(lake, names, date(2023, 2, 1), keys // 2)
            with workers_awake(spark, ["pozytywka_spark.featurestore.materialize_work"]):
                pass
            with _told(f"{store}: {keys:,} keys, everything", keys):
                done = materialize(settings, lake, views=[VIEW])
            assert done[0].written == keys
            with _told(f"{store}: nothing new", 0):
                materialize(settings, lake, views=[VIEW])
            _make(lake, names, date(2023, 3, 1), keys // 10)
            with _told(f"{store}: a tenth has a new month", keys // 10):
                assert materialize(settings, lake, views=[VIEW])[0].written == keys // 10
            with _told(f"{store}: verified", keys):
                assert sum(each.differences for each in verify(settings, lake, views=[VIEW])) == 0
    finally:
        shutil.rmtree(home)


@dataclass(frozen=True)
class _MakeUsers:
    names: tuple[str, ...]
    month: date

    def __call__(self, items: Sequence[tuple[int, int]], files: TaskFiles) -> Iterator[Mapping[str, Any]]:
        for first, last in items:
            drawn = np.random.default_rng(first)
            values = drawn.random((len(self.names), last - first))
            columns = {
                name: pl.Series(values[place]).set(pl.Series(drawn.random(last - first) < 0.1), None)
                for place, name in enumerate(self.names)
            }
            rows = pl.DataFrame({"user_id": np.arange(first, last), **columns})
            files.write(schemas.features_table(self.names), rows, {"month": self.month})
            yield {"rows": rows.height}


def _make(lake: Lake, names: tuple[str, ...], month: date, users: int) -> None:
    """A month of the first users, in files of so many."""
    items = [(first, min(users, first + FILE_ROWS)) for first in range(0, users, FILE_ROWS)]
    with lake.tasks() as tasks:
        done = tasks.run(items, _MakeUsers(names, month), weight=lambda _: 100 << 20, named=str)
        lake.replace_partitions(done.written, schemas.features_table(names), [{"month": month}])


@contextmanager
def _told(what: str, keys: int) -> Iterator[None]:
    over, largest = Event(), [0]

    def watch() -> None:
        while not over.wait(0.2):
            largest[0] = max(largest[0], *_sizes(), 0)

    watching = Thread(target=watch, daemon=True)
    watching.start()
    started = time.perf_counter()
    yield
    seconds = time.perf_counter() - started
    over.set()
    watching.join()
    rate = f", {keys / seconds:,.0f} keys a second" if keys else ""
    print(f"{what}: {seconds:.1f} s{rate}, largest process {largest[0] >> 20:,} MB", flush=True)


def _sizes() -> list[int]:
    """Private memory of each Python process of this one's family, in bytes: no pages of a mapped store."""
    sizes = []
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        with suppress(psutil.NoSuchProcess, OSError):
            if process.name().startswith("python"):
                found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
                sizes.append(int(found[1]) << 10 if found else 0)
    return sizes


if __name__ == "__main__":
    main()
