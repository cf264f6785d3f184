"""A row's path from its line to its prediction is one that a person can read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

MOST_FILES = 45
PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.nightly  # a small world through every stage, each call of the package's functions looked at
def test_few_files_are_on_the_way_of_a_row() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "scripts.docs.row_path"],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    counted = re.search(r"^from line to prediction.*?: ([0-9]+) on the way", ran.stdout, re.MULTILINE)
    assert counted is not None, ran.stdout
    # fewer than the kernels of the flow, and the watch would have been blind
    assert 25 < int(counted[1]) <= MOST_FILES, ran.stdout
