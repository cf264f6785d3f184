"""Ingest beside DuckDB doing parse, hash and write by month: one run, one machine, two threads each.

Run on a quiet machine: `python -m tests.bench.bench_ingest [EVENTS ...]` (default 1000000 10000000).
Sessions are clean events in one file; the session's start isn't counted, checks and page are. Then, of the
largest size up to a million: nothing new, ten lines more in a file of their own, the same lines in 10,000
files, and a made world of about as many events, clean and with 5% of its lines broken in every way. Peak
memory: of the JVM, its Python workers and this process together, so far in the run; of a process of its own
for DuckDB.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import duckdb
import polars as pl
from pyspark.sql import SparkSession

from pozytywka_spark.config import Dirt, load_settings
from pozytywka_spark.ingest import stage
from pozytywka_spark.lake import open_lake
from pozytywka_spark.spark.session import build_session
from pozytywka_spark.synthetic.world import write_world
from tests.bench.memory import jvm_peak, peak_of, workers_peak

FILES = 10_000
DEFECTS = (
    "lower_case_event_type", "misspelt_advertisement", "null_user_id", "null_track_id", "null_event_type",
    "orphan_user", "orphan_track", "repeated_like", "second_purchase", "bad_timestamp", "broken_json",
    "wrong_type", "duplicate_row",
)  # fmt: skip
_EVENTS_OF_A_USER = 246  # of a made world of 14 months, on average
_CHUNK = 1_000_000
_MOST = 1_000_000  # larger worlds take too long to make
_MICROS = 730 * 86_400 * 1_000_000  # two years


def make(events: int, raw: Path) -> Path:
    """A delivery of clean events in sessions of fifty, with ids as long as real ones, in one file."""
    tracks = pl.int_range(20_000, eager=True).hash(7).cast(pl.String).str.zfill(22)
    kinds = pl.Series(["PLAY", "PLAY", "PLAY", "SKIP", "LIKE"])
    raw.mkdir()
    with (raw / "sessions.jsonl").open("wb") as target:
        for first in range(0, events, _CHUNK):
            n = pl.int_range(first, min(events, first + _CHUNK), eager=True)
            moments = (1_640_995_200_000_000 + n * (_MICROS // events)).cast(pl.Datetime("us"))
            fields = pl.DataFrame(
                {
                    "timestamp": moments.dt.strftime('"%Y-%m-%dT%H:%M:%S.%6f"'),
                    "user_id": (n // 50 % 20_000).cast(pl.String),
                    "track_id": '"' + tracks.gather(n.hash(1) % 20_000) + '"',
                    "event_type": '"' + kinds.gather(n.hash(2) % 5) + '"',
                    "session_id": (n // 50).cast(pl.String),
                }
            )
            pairs = [pl.lit(f'"{name}": ') + pl.col(name) for name in fields.columns]
            lines = fields.select(pl.lit("{") + pl.concat_str(pairs, separator=", ") + "}\n").to_series()
            target.write("".join(lines.to_list()).encode())
    return raw


def in_files(lines: Path, raw: Path, each: int) -> Path:
    """`FILES` files of `each` lines."""
    (raw / "sessions").mkdir(parents=True)
    with lines.open("rb") as source:
        for number in range(FILES):
            (raw / "sessions" / f"part-{number:05}.jsonl").write_bytes(b"".join(islice(source, each)))
    return raw


def world(spark: SparkSession, events: int, folder: Path, defects: float) -> Path:
    """A made world of about so many events; `defects`: the share of lines that are broken in some way."""
    home = load_settings("local", [f"home={folder}"])
    dirt = Dirt(**dict.fromkeys(DEFECTS, defects / len(DEFECTS)))
    size = {"users": max(200, events // _EVENTS_OF_A_USER), "truth_paths": 0, "dirt": dirt}
    made = home.model_copy(update={"synthetic": home.synthetic.model_copy(update=size)})
    write_world(spark, made, str(folder / f"world-{defects:g}"))
    return folder / f"world-{defects:g}"


def with_ingest(spark: SparkSession, raw: Path, home: Path) -> int:
    """All that the job does behind its session; rows that it read."""
    settings = load_settings("local", [f"home={home}", f"raw.path={raw}"])
    report = stage.ingest(spark, settings, open_lake(settings, spark))
    return sum(entity.read for entity in report.entities)


def with_duckdb(lines: Path, out: Path) -> tuple[float, float]:
    """Seconds and peak memory in GB, in this process, which is to be a fresh one."""
    start = time.perf_counter()
    connection = duckdb.connect()
    connection.execute("set enable_progress_bar = false; set threads = 2")
    rows = connection.read_json(
        str(lines), format="newline_delimited",
        columns={"timestamp": "TIMESTAMP", "user_id": "BIGINT", "track_id": "VARCHAR",
                 "event_type": "VARCHAR", "session_id": "BIGINT"},
    )  # fmt: skip
    hashed = "md5(concat_ws('|', timestamp, event_type, user_id, session_id, track_id)) as event_id"
    rows.project(f"*, {hashed}, date_trunc('month', timestamp)::date as event_month").write_parquet(
        str(out), compression="zstd", partition_by=["event_month"]
    )
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def tell(events: int, name: str, seconds: float, peak: float) -> None:
    """A line that `tests.bench.everything` reads."""
    print(f"{events:>11,}  {name:<28} {seconds:7.1f} s  peak {1e3 * peak:6,.0f} MB", flush=True)


def measure(spark: SparkSession, events: int, name: str, raw: Path, home: Path) -> None:
    """One ingest, and the memory that everything had so far."""
    start = time.perf_counter()
    with_ingest(spark, raw, home)
    took = time.perf_counter() - start
    tell(events, name, took, jvm_peak(spark) + workers_peak(spark) + peak_of(os.getpid()))


def beside(events: int, name: str, lines: Path, out: Path) -> None:
    """DuckDB on the same lines."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        tell(events, name, *pool.apply(with_duckdb, (lines, out)))
    shutil.rmtree(out)


def main(sizes: list[int]) -> None:
    """Every size, and other deliveries at one of them."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        home = load_settings("local", [f"home={folder / 'home'}", "spark.driver_memory=2g"])
        spark = build_session(home, "ingest")
        for events in sizes:
            with multiprocessing.get_context("spawn").Pool(1) as pool:  # its memory is no part of ingest's
                raw = pool.apply(make, (events, folder / f"raw-{events}"))
            lake = folder / f"lake-{events}"
            measure(spark, events, "ingest", raw, lake)
            beside(events, "duckdb", raw / "sessions.jsonl", folder / "out")
            if events == max((size for size in sizes if size <= _MOST), default=None):
                _other_deliveries(spark, events, raw, lake, folder)
            shutil.rmtree(raw, ignore_errors=True)
            shutil.rmtree(lake, ignore_errors=True)
        spark.stop()


def _other_deliveries(spark: SparkSession, events: int, raw: Path, lake: Path, folder: Path) -> None:
    measure(spark, events, "nothing new", raw, lake)
    ten = folder / "ten" / "sessions.jsonl"
    ten.parent.mkdir()
    with (raw / "sessions.jsonl").open("rb") as source:
        ten.write_bytes(b"".join(islice(source, 10)).replace(b'"session_id": ', b'"session_id": 9'))
    measure(spark, events, "ten lines more", ten.parent, lake)
    parts = in_files(raw / "sessions.jsonl", folder / "parts", max(1, events // FILES))
    shutil.rmtree(lake)
    measure(spark, events, f"ingest of {FILES:,} files", parts, folder / "lake-parts")
    shutil.rmtree(folder / "lake-parts")
    shutil.rmtree(raw)
    for defects in (0.0, 0.05):
        made = world(spark, events, folder, defects)
        measure(spark, events, f"made world, {defects:.0%} broken", made, folder / f"lake-{defects:g}")
        shutil.rmtree(made)


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [1_000_000, 10_000_000])
