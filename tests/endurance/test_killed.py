"""The pipeline killed at random moments and started again ends as one that nothing happened to."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.endurance.endured import end_state, overrides, start

KILLS = 20
SECONDS = 1500  # at most; every kill until then counts, and at least ten there must be


def kill(process: subprocess.Popen[str]) -> None:
    """Everything of it at once, as a machine that goes down."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_twenty_kills_make_no_difference(
    spark: SparkSession, raw: Path, undisturbed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """Each home is killed again and again until a run of it gets through."""
    dice, deadline = random.Random(20), time.monotonic() + SECONDS
    kills, homes, least, whole = 0, 0, 3.0, 60.0
    while (kills < KILLS and time.monotonic() < deadline) or not homes:
        home = tmp_path / str(homes)
        before = kills
        while True:
            process = start(home, raw)
            begun = time.monotonic()
            may_kill = kills < KILLS and time.monotonic() < deadline
            try:
                told, error = process.communicate(timeout=dice.uniform(least, whole) if may_kill else 600)
            except subprocess.TimeoutExpired:
                kill(process)
                assert may_kill, "a run that nobody kills must end"
                kills += 1
                continue
            assert process.returncode == 0, told[-500:] + error[-1500:]
            break
        if kills == before:  # it got through undisturbed: the moments shall lie within
            whole = max(2 * least, 0.9 * (time.monotonic() - begun))
        assert end_state(spark, *overrides(home, raw)) == undisturbed[1], f"after {kills - before} kills"
        homes += 1
    assert kills >= KILLS // 2


def test_two_pipelines_on_one_lake(
    spark: SparkSession, raw: Path, undisturbed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """Each ends well or says in one line why not; one more run, and all is as if there had been but one."""
    both = [start(tmp_path, raw) for _ in range(2)]
    for process in both:
        _, error = process.communicate(timeout=600)
        assert process.returncode in (0, 1), error
        assert len(error.splitlines()) == process.returncode, error
        assert all(line.startswith("error: ") for line in error.splitlines())
    last = start(tmp_path, raw)
    assert last.wait(timeout=600) == 0, last.communicate()[1]
    assert end_state(spark, *overrides(tmp_path, raw)) == undisturbed[1]


@pytest.fixture(autouse=True)
def _leave_nothing(tmp_path: Path) -> Any:
    """Processes that a failed test left, by the folder that their command line names."""
    yield
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(tmp_path).encode() in entry.read_bytes() and int(entry.parent.name) != os.getpid():
                os.kill(int(entry.parent.name), signal.SIGKILL)
        except OSError:  # gone meanwhile
            continue
