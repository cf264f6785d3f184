"""The process that workers are forked from."""

from __future__ import annotations

import subprocess
import sys

LOAD = "import sys, pozytywka_spark.worker_daemon; print('polars' in sys.modules)"


def test_it_does_not_load_polars() -> None:
    """A worker forked from a process that has used Polars would hang for ever."""
    loaded = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == ["False"]
