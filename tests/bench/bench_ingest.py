"""Ingest beside DuckDB doing parse, hash and write by month, in one run on the same machine, two threads.

Run on a quiet machine: `python -m tests.bench.bench_ingest [EVENTS ...]` (default 1000000 10000000).
Sessions are clean events in one file; the session's start is not counted, checks and page are. After the
largest size: a lake with nothing new, ten more lines in a file of their own, the same lines in 10,000 part
files, and as many events of a made world, clean and with 5% defects of all kinds. Peak memory: of the JVM
and its Python workers together with this process; of a process of its own for DuckDB.
"""

from __future__ import annotations

import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import duckdb
import polars as pl
from pyspark.sql import SparkSession

from pozytywka_spark.config import Dirt, load_settings
from pozytywka_spark.ingest import stage
from pozytywka_spark.lake import open_lake
from pozytywka_spark.session import build_session
from pozytywka_spark.synthetic.world import write_world
from tests.bench.memory import jvm_peak, peak_of, workers_peak

PARTS = 10_000
EVENTS_OF_A_USER = 246  # of a made world of 14 months, on average
_CHUNK = 1_000_000
_MICROS = 730 * 86_400 * 1_000_000  # two years
_SESSIONS = ("bad_timestamp", "null_user_id", "null_track_id", "null_event_type", "broken_json", "wrong_type",
             "duplicate_row", "lower_case_event_type", "repeated_like", "orphan_track")  # fmt: skip


def make(events: int, folder: Path) -> Path:
    """A delivery of clean events in sessions of fifty, with ids as long as real ones; one file."""
    tracks = pl.int_range(20_000, eager=True).hash(7).cast(pl.String).str.zfill(22)
    kinds = pl.Series(["PLAY", "PLAY", "PLAY", "SKIP", "LIKE"])
    raw = folder / f"raw-{events}"
    raw.mkdir(exist_ok=True)
    with (raw / "sessions.jsonl").open("wb") as target:
        for first in range(0, events, _CHUNK):
            n = pl.int_range(first, min(events, first + _CHUNK), eager=True)
            time_of = (1_640_995_200_000_000 + n * (_MICROS // events)).cast(pl.Datetime("us"))
            fields = {
                "timestamp": '"' + time_of.dt.strftime("%Y-%m-%dT%H:%M:%S.%6f") + '"',
                "user_id": (n // 50 % 20_000).cast(pl.String),
                "track_id": '"' + tracks.gather(n.hash(1) % 20_000) + '"',
                "event_type": '"' + kinds.gather(n.hash(2) % 5) + '"',
                "session_id": (n // 50).cast(pl.String),
            }
            frame = pl.DataFrame([column.alias(name) for name, column in fields.items()])
            pairs = [f'"{name}": ' + pl.col(name) for name in fields]
            lines = frame.select("{" + pl.concat_str(pairs, separator=", ") + "}\n").to_series()
            target.write("".join(lines.to_list()).encode())
    return raw


def in_parts(raw: Path, folder: Path, lines: int) -> Path:
    """The first `PARTS` times `lines` lines of a delivery, each `lines` of them in a file."""
    parts = folder / "parts" / "sessions"
    parts.mkdir(parents=True)
    with (raw / "sessions.jsonl").open("rb") as source:
        for number in range(PARTS):
            (parts / f"part-{number:05}.jsonl").write_bytes(b"".join(islice(source, lines)))
    return parts.parent


def world(spark: SparkSession, events: int, folder: Path, defects: float) -> Path:
    """Sessions of a made world of about so many events; `defects`: the share of its lines that have one."""
    each = defects / len(_SESSIONS)
    home = load_settings("local", [f"home={folder}"])
    size = {"users": max(200, events // EVENTS_OF_A_USER), "truth_paths": 0}
    dirt = Dirt(**dict.fromkeys(_SESSIONS, each))
    settings = home.model_copy(update={"synthetic": home.synthetic.model_copy(update={**size, "dirt": dirt})})
    place = folder / f"world-{defects:g}"
    write_world(spark, settings, str(place))
    return place


def with_ingest(spark: SparkSession, raw: Path, home: Path) -> None:
    """The whole job behind its session: judged, resolved, committed, checked, the page written."""
    settings = load_settings("local", [f"home={home}", f"raw.path={raw}"])
    stage.ingest(spark, settings, open_lake(settings, spark))


def with_duckdb(raw: Path, out: Path) -> None:
    """Parse, hash and write by month, nothing else."""
    connection = duckdb.connect()
    connection.execute("set enable_progress_bar = false; set threads = 2")
    rows = connection.read_json(
        str(raw), format="newline_delimited",
        columns={"timestamp": "TIMESTAMP", "user_id": "BIGINT", "track_id": "VARCHAR",
                 "event_type": "VARCHAR", "session_id": "BIGINT"},
    )  # fmt: skip
    hashed = "md5(concat_ws('|', timestamp, event_type, user_id, session_id, track_id)) as event_id"
    rows.project(f"*, {hashed}, date_trunc('month', timestamp)::date as event_month").write_parquet(
        str(out), compression="zstd", partition_by=["event_month"]
    )


def apart(raw: Path, out: Path) -> tuple[float, float]:
    """Seconds and peak memory in GB of DuckDB in this process, which is to be a fresh one."""
    start = time.perf_counter()
    with_duckdb(raw, out)
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


class Bench:
    """Runs things and prints what they took."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.spark, self.folder = spark, folder

    def told(self, events: int, name: str, seconds: float, peak: float) -> None:
        print(f"{events:>11,} events {0:8.0f} MB  {name:<34} {seconds:7.1f} s  peak {1e3 * peak:6,.0f} MB",
              flush=True)  # fmt: skip

    def ingest(self, events: int, name: str, raw: Path, home: Path) -> None:
        self._timed(events, name, lambda: with_ingest(self.spark, raw, home))

    def duckdb(self, events: int, name: str, raw: Path) -> None:
        out = self.folder / "out"
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            self.told(events, name, *pool.apply(apart, (raw, out)))
        shutil.rmtree(out, ignore_errors=True)

    def _timed(self, events: int, name: str, run: Callable[[], None]) -> None:
        start = time.perf_counter()
        run()
        took = time.perf_counter() - start
        self.told(events, name, took, jvm_peak(self.spark) + workers_peak(self.spark) + peak_of_self())


def peak_of_self() -> float:
    """Of this process, in GB."""
    import os

    return peak_of(os.getpid())


def main(sizes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        home = load_settings("local", [f"home={folder / 'home'}", "spark.driver_memory=2g"])
        spark = build_session(home, "ingest")
        bench = Bench(spark, folder)
        for events in sizes:
            raw, lake = make(events, folder), folder / f"lake-{events}"
            bench.ingest(events, "ingest", raw, lake)
            bench.duckdb(events, "duckdb", raw / "sessions.jsonl")
        _beside(bench, sizes[-1], raw, lake)
        spark.stop()


def _beside(bench: Bench, events: int, raw: Path, lake: Path) -> None:
    """What is small, in many files, or dirty."""
    bench.ingest(events, "nothing new", raw, lake)
    with (raw / "sessions.jsonl").open("rb") as source:
        ten = b"".join(islice(source, 10)).replace(b'"session_id": ', b'"session_id": 9')
    (raw / "sessions.jsonl").rename(raw / "all")  # the delivery grows by a file: a folder of parts
    (raw / "sessions").mkdir()
    (raw / "all").rename(raw / "sessions" / "all.jsonl")
    more = bench.folder / "ten" / "sessions.jsonl"
    more.parent.mkdir()
    more.write_bytes(ten)
    bench.ingest(events, "ten lines more", more.parent, lake)
    lines = max(1, events // PARTS)
    parts = in_parts_of(raw, bench.folder, lines)
    bench.ingest(lines * PARTS, f"{PARTS:,} part files", parts, bench.folder / "lake-parts")
    for defects in (0.0, 0.05):
        made = world(bench.spark, events, bench.folder, defects)
        home = bench.folder / f"lake-world-{defects:g}"
        bench.ingest(events, f"made world, {defects:.0%} defects", made, home)


def in_parts_of(raw: Path, folder: Path, lines: int) -> Path:
    (raw / "sessions" / "all.jsonl").rename(raw / "sessions.jsonl")
    return in_parts(raw, folder, lines)


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [1_000_000, 10_000_000])
