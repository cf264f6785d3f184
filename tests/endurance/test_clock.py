"""Clocks that are wrong: files of the next century or the last one, and a machine whose clock was set back.

The machine's own clock isn't touched: other tests live by it. Files get their times by `os.utime`, and
a past in which the clock was ahead is made of the same: files known by a time that they no longer have.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from tests.endurance.endured import end_state, overrides
from tests.running import run

WORK = ("users", "artists", "tracks", "track_storage", "events", "user_month", "features", "labels")


def date_files(folder: Path, year: int) -> None:
    moment = datetime(year, 6, 1, tzinfo=UTC).timestamp()
    for path in folder.rglob("*.jsonl"):
        os.utime(path, (moment, moment))


def test_files_of_any_date_are_taken_in_once(
    spark: SparkSession, raw: Path, undisturbed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """Dated ahead, then back behind what the lake has seen: nothing is lost, nothing comes twice."""
    own = tmp_path / "raw"
    shutil.copytree(raw, own)
    chosen = overrides(tmp_path / "home", own)
    for year in (2099, 1985):
        date_files(own, year)
        assert run("pipeline", *chosen) == 0
        state = end_state(spark, *chosen)
        assert {name: state[name] for name in WORK} == {name: undisturbed[1][name] for name in WORK}
        assert state["model"] == undisturbed[1]["model"]
