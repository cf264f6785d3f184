"""A world with taste through the jobs, from raw files to pages in the order of the value."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from pozytywka_spark.names import HEADS
from tests.bench.taste_rankings import Case

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Pages:
    """What the table `feed` says: users × tracks, NaN (chances) and -inf (value) where there is no row."""

    value: np.ndarray
    chances: np.ndarray
    light: np.ndarray


def run_jobs(folder: Path, seed: int, users: int, cut_off: date, more: list[str], surveys: bool) -> None:
    """Synthesize, ingest, train, rank; exit codes other than 0 (and the gate's 3) end the bench."""
    raw = folder / "raw"
    settings = [f"home={folder}", f"raw.path={raw}", "synthetic.truth_paths=0", *more]
    size = ["--users", str(users), "--months", "7", "--seed", str(seed)]
    job("synthesize", [*size, "--taste", "--cut-off", str(cut_off), "--out", str(raw)], settings)
    job("ingest", [], settings)
    if surveys:
        job("feed", ["take-in", "--surveys", f"{raw}_truth/surveys.jsonl"], settings)
    job("feed", ["train", "--at", str(cut_off)], settings)
    in_order = ["feed.arrange=false", "feed.page=500", "feed.explore=0", "feed.new_artists=0"]
    job("feed", ["rank", "--at", str(cut_off)], [*settings, *in_order])


def job(name: str, flags: list[str], settings: list[str]) -> None:
    """As people run it."""
    sets = [part for each in settings for part in ("--set", each)]
    done = subprocess.run(
        [sys.executable, f"jobs/{name}.py", *flags, *sets],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    print(f"   {name} {flags[0] if flags else ''}: exit {done.returncode}", flush=True)
    if done.returncode not in (0, 3):
        raise SystemExit(done.stdout[-3000:] + done.stderr[-3000:])


def pages_of(folder: Path, case: Case) -> Pages:
    """Of the day of the case's cut-off."""
    rows = pl.read_delta(str(folder / "lake" / "feed")).filter(pl.col("feed_date") == case.cut_off)
    user_id = case.world.users.get_column("user_id").to_numpy()
    row = np.searchsorted(user_id, rows.get_column("user_id").to_numpy())
    column = np.searchsorted(
        case.world.catalogue.track_id.astype(str), rows.get_column("track_id").to_numpy().astype(str)
    )
    shape = (len(user_id), len(case.world.catalogue))
    value, light = np.full(shape, -np.inf), np.full(shape, np.nan)
    # the order of the page, which is that of the value with its ties
    value[row, column] = -rows.get_column("position").to_numpy()
    light[row, column] = rows.get_column("light_score").to_numpy()
    chances = np.full((*shape, len(HEADS)), np.nan, dtype=np.float32)
    maps = rows.get_column("chances").to_arrow()
    maps = maps.combine_chunks() if isinstance(maps, pa.ChunkedArray) else maps
    at = np.repeat(np.arange(len(maps)), np.diff(maps.offsets.to_numpy()))
    number = {name: place for place, name in enumerate(HEADS)}
    head = np.array([number[name] for name in maps.keys.to_pylist()])
    chances[row[at], column[at], head] = maps.items.to_numpy(zero_copy_only=False)
    return Pages(value, chances, light)
