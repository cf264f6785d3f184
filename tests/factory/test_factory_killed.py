"""SIGKILL at random moments, as of a machine that goes down; then the same commands again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from tests.factory.test_lake import days, put
from tests.moderation.world import contents

KILLS = 4
TABLES = ("factory_models", "factory_boosters", "second_looks", "decisions")


def test_killed_at_random_moments(spark: SparkSession, settings: Settings) -> None:
    roots = {name: f"{settings.home}/{name}" for name in ("whole", "killed")}
    for root in roots.values():
        lake = at_root(settings, root, spark)
        put(lake, days(0, 111))
        put(lake, days(113, 150, fallen=True))
    took = run_for(settings, roots["whole"], 600)
    assert took
    dice, kills = random.Random(5), 0
    while kills < KILLS:
        if run_for(settings, roots["killed"], dice.uniform(0.05, 0.5) * took):
            break
        kills += 1
    assert kills
    assert run_for(settings, roots["killed"], 600)
    found = {name: contents(at_root(settings, root, spark), *TABLES) for name, root in roots.items()}
    for table in TABLES:
        assert found["killed"][table] == found["whole"][table], table
    modes = {row["mode"] for row in found["whole"]["decisions"]}
    assert modes == {"shadow", "live", "audit"}
    assert {row["state"] for row in found["whole"]["factory_models"]} == {"shadow", "live", "stopped"}


def at_root(settings: Settings, root: str, spark: SparkSession) -> Lake:
    chosen = settings.lake.model_copy(update={"root": root})
    return open_lake(settings.model_copy(update={"lake": chosen}), spark)


def run_for(settings: Settings, root: str, seconds: float) -> float:
    """Run the child and kill it so long after it was ready; how long it took, 0 if it was killed."""
    child = str(Path(__file__).with_name("killed_child.py"))
    command = [sys.executable, child, f"home={root}-home", f"lake.root={root}"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env=environment, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert b"READY" in process.stdout.readline()
        ready, told = time.monotonic(), b""
        os.set_blocking(process.stdout.fileno(), False)
        while time.monotonic() < ready + seconds and b"DONE" not in told and process.poll() is None:
            told += process.stdout.read() or b""
            time.sleep(0.01)
        took = time.monotonic() - ready
        os.killpg(process.pid, signal.SIGKILL)
    return took if b"DONE" in told else 0.0
