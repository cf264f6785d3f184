"""The processes that workers are forked from, and what the workers of kernels load."""

from __future__ import annotations

import subprocess
import sys

import pytest

KERNELS = (
    "lake.run_tasks",
    "ingest.line_work",
    "ingest.new_events",
    "ingest.repair_work",
    "ingest.shard_counts",
    "ingest.event_totals",
)


def loaded_by(*modules: str) -> set[str]:
    load = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("daemon", ["worker_daemon", "kernel_daemon"])
def test_no_daemon_loads_polars(daemon: str) -> None:
    """A worker forked from a process that has used Polars would hang for ever."""
    assert "polars" not in loaded_by(f"pozytywka_spark.{daemon}")


def test_workers_of_kernels_load_nothing_that_kernels_do_not_need() -> None:
    """Each takes a tenth of a second to four seconds, in every worker."""
    loaded = loaded_by("pozytywka_spark.kernel_daemon", *(f"pozytywka_spark.{name}" for name in KERNELS))
    assert not loaded & {"pydantic", "deltalake", "pandas", "matplotlib", "mlflow", "xgboost", "rich"}
    assert "polars" in loaded
