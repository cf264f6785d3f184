"""A disk that fills up while the pipeline writes: one line says so, and room mends it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.endurance.endured import end_state, overrides
from tests.running import run


def mount(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 kB in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    done = mount("-t", "tmpfs", "-o", "size=300k", "tmpfs", str(place))
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_a_full_disk_is_said_in_one_line_and_room_mends_it(
    spark: SparkSession,
    raw: Path,
    undisturbed: tuple[Path, dict[str, Any]],
    small_disk: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    chosen = overrides(tmp_path / "home", raw, f"lake.root={small_disk}/lake")
    size, failures = 300, 0
    # a little more room each time, so that it fills up in one place after another
    while size < 20_000:
        assert not mount("-o", f"remount,size={size}k", str(small_disk)).returncode
        capfd.readouterr()
        code = run("pipeline", *chosen)
        told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("error: ")]
        if code == 0:
            break
        failures += 1
        assert code == 1
        assert len(told) == 1
        assert "the disk is full" in told[0], told
        size *= 3
    else:
        pytest.fail("the lake did not fit into 20 MB")
    assert failures
    assert end_state(spark, *chosen) == undisturbed[1]
