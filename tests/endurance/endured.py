"""A small world, the pipeline over it, and what it leaves, told apart from the clock and from chance."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from pozytywka_spark.config import load_settings
from pozytywka_spark.lake import open_lake
from pozytywka_spark.tracking import registry
from pozytywka_spark.tracking.store import connect
from tests.running import JOBS

WORLD = [
    "synthetic.users=240", "synthetic.months=7", "synthetic.tracks=400", "synthetic.played_tracks=200",
    "synthetic.artists=80", "synthetic.truth_paths=0",
]  # fmt: skip
CHOSEN = [
    "split.validation_months=1", "split.test_months=1", "training.max_trees=10", "training.min_positives=1",
    "evaluation.bootstrap=5",
]  # fmt: skip
# The clock's, the names that files and runs got by chance: not the work's.
BY_CHANCE = {"scored_at", "scoring_id", "started_at", "finished_at", "ingested_at", "files", "catalogue"}


def overrides(home: Path, raw: Path, *more: str) -> list[str]:
    """A pipeline's settings, everything it makes below `home`."""
    return [f"home={home}", f"raw.path={raw}", *CHOSEN, *more]


def start(home: Path, raw: Path, *more: str, flags: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """The pipeline through its real entry point, in a process group of its own."""
    sets = [part for override in overrides(home, raw, *more) for part in ("--set", override)]
    return subprocess.Popen(
        ["bash", JOBS.parent / "scripts" / "submit.sh", "pipeline", *sets, *flags],
        env=os.environ | {"PYTHONUNBUFFERED": "1"}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def end_state(spark: SparkSession, *chosen: str) -> dict[str, Any]:
    """Of each table its rows and a digest of them whatever their order; versions and aliases of the model."""
    settings = load_settings("local", list(chosen))
    lake = open_lake(settings, spark)
    found: dict[str, Any] = {}
    for path in sorted(Path(settings.lake.root).glob("*/_delta_log")):
        rows = lake.read(path.parent.name)
        columns = [f"`{name}`" for name in sorted(set(rows.columns) - BY_CHANCE)]
        # summed, not folded: a row that stands there twice must show
        digest = rows.selectExpr(f"sum(cast(xxhash64({', '.join(columns)}) as decimal(38, 0)))").collect()
        found[path.parent.name] = (rows.count(), digest[0][0])
    tracking = connect(settings)
    aliased = {name: registry.aliased(tracking, name) for name in (registry.CHALLENGER, registry.CHAMPION)}
    found["model"] = (
        len(tracking.client.search_model_versions("")),
        {name: version and version.number for name, version in aliased.items()},
    )
    return found
