"""The processes that workers are forked from, and what the workers of kernels load."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

KERNELS = (
    "lake.run_tasks",
    "ingest.validate.line_work",
    "ingest.resolve.new_events",
    "ingest.resolve.repair_work",
    "ingest.quality.shard_counts",
    "ingest.quality.event_totals",
)


# each takes a tenth of a second to four seconds, in every worker
NOT_NEEDED = {"pydantic", "deltalake", "pandas", "matplotlib", "mlflow", "xgboost", "rich"}


def modules_of(*command: str) -> set[str]:
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def loaded_by(*modules: str) -> set[str]:
    return modules_of("-c", f"import sys, {', '.join(modules)}; print(*sys.modules)")


@pytest.mark.parametrize("daemon", ["python_daemon", "kernel_daemon"])
def test_no_daemon_loads_polars(daemon: str) -> None:
    """A worker forked from a process that has used Polars would hang for ever."""
    assert "polars" not in loaded_by(f"pozytywka_spark.spark.{daemon}")


def test_workers_of_kernels_load_nothing_that_kernels_do_not_need() -> None:
    loaded = loaded_by(
        "pozytywka_spark.spark.kernel_daemon", *(f"pozytywka_spark.{name}" for name in KERNELS)
    )
    assert not loaded & NOT_NEEDED
    assert "polars" in loaded


def test_nor_do_they_as_they_work(tmp_path: Path) -> None:
    """Arrow imports Pandas by itself for quite ordinary calls, such as an array of a list."""
    loaded = modules_of(str(Path(__file__).parent / "kernels_run.py"), str(tmp_path))
    assert not loaded & NOT_NEEDED
    assert "polars" in loaded


def test_workers_collect_no_garbage_in_what_the_daemon_loaded(spark: SparkSession) -> None:
    """Spark has it collected after each task: 80 ms for what no task ever frees."""
    one = spark.sparkContext.parallelize([0], 1)
    told = one.map(lambda _: (gc.get_freeze_count(), gc.isenabled())).first()
    assert told is not None
    left_alone, looks = told
    assert left_alone > 20_000
    assert looks, "in what tasks make"
