"""Both engines on one lake, in a process of its own: tests of a session with Delta's classes are slow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.jars import needed


@pytest.mark.jvm
def test_two_rounds_of_both_engines_on_one_table(tmp_path: Path) -> None:
    needed("delta")
    command = [sys.executable, "-m", "tests.lake.engines_in_turn", str(tmp_path)]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
