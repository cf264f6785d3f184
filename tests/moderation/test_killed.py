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

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from tests.moderation.world import OUTCOME, case, contents, play, put

KILLS = 4


def test_killed_at_random_moments(spark: SparkSession, settings: Settings) -> None:
    lakes = {name: f"{settings.home}/{name}" for name in ("whole", "killed")}
    for root in lakes.values():
        a_few(at_root(settings, root, spark))
    took = run_for(settings, lakes["whole"], 600)
    assert took
    dice, kills = random.Random(3), 0
    while kills < KILLS:
        if run_for(settings, lakes["killed"], dice.uniform(0, 1) * took):
            break
        kills += 1
    assert kills
    assert run_for(settings, lakes["killed"], 600)
    found = {name: contents(at_root(settings, root, spark), *OUTCOME) for name, root in lakes.items()}
    assert found["killed"] == found["whole"]
    assert len(found["whole"]["fouls"]) == 5


def at_root(settings: Settings, root: str, spark: SparkSession) -> Lake:
    return open_lake(
        settings.model_copy(update={"lake": settings.lake.model_copy(update={"root": root})}), spark
    )


def a_few(lake: Lake) -> None:
    put(lake, schemas.CASES, *(case(name, 1, number) for name, number in (("a", 0), ("b", 3), ("c", 6))))
    put(lake, schemas.EVENTS, *(play(1, number + 0.5) for number in range(40)))


def run_for(settings: Settings, root: str, seconds: float) -> float:
    """Run the child and kill it so long after it was ready; how long it took, 0 if it was killed."""
    child = str(Path(__file__).with_name("killed_child.py"))
    command = [sys.executable, child, f"home={settings.home}", f"lake.root={root}"]
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
