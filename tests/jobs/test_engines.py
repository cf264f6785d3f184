"""The whole pipeline on Delta's own JVM classes ends as it does on delta-rs, hash for hash."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import load_settings
from pozytywka_spark.synthetic.world import write_world
from tests.digests import digests
from tests.jars import needed
from tests.running import run

pytestmark = pytest.mark.jvm

TINY = [
    "synthetic.users=240", "synthetic.months=7", "synthetic.tracks=400", "synthetic.played_tracks=200",
    "synthetic.artists=80", "split.validation_months=1", "split.test_months=1", "training.max_trees=10",
    "training.min_positives=1", "evaluation.bootstrap=5",
]  # fmt: skip
BY_CHANCE = ("scored_at", "scoring_id")  # the clock's and the run's
OF_FILES = ("files", "catalogue", "inputs")  # of `feature_builds`: each engine names its own


def test_the_pipeline_on_either_engine_makes_the_same_tables(spark: SparkSession, tmp_path: Path) -> None:
    needed("delta")
    raw = tmp_path / "raw"
    write_world(spark, load_settings("local", [f"home={tmp_path}", *TINY]), str(raw))
    ends = {}
    for engine in ("delta-rs", "delta-spark"):
        chosen = [f"home={tmp_path / engine}", f"raw.path={raw}", f"lake.engine={engine}", *TINY]
        assert run("pipeline", *chosen) == 0, engine
        ends[engine] = digests(tmp_path / engine / "lake", (*BY_CHANCE, *OF_FILES))
    assert ends["delta-spark"] == ends["delta-rs"]
    assert ends["delta-spark"]["predictions"][0]
