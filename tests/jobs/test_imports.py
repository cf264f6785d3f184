"""What a job loads before it works: flags and settings, nothing that takes seconds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
JOBS = sorted(path.stem for path in (ROOT / "jobs").glob("*.py"))
HEAVY = {
    "alembic", "deltalake", "duckdb", "git", "matplotlib", "mlflow", "numpy", "optuna", "pandas", "polars",
    "py4j", "pyarrow", "pymoo", "pyspark", "scipy", "shap", "sklearn", "sqlalchemy", "statsmodels", "xgboost",
}  # fmt: skip
# as the jobs' own files are run, each in a copy of a process that has loaded what all of them load
CODE = """
import os, runpy, sys
import pozytywka_spark.cli
jobs, flags = sys.argv[1].split(), sys.argv[2:]
for job in jobs:
    sys.stdout.flush()
    copy = os.fork()
    if copy:
        print("ended", job, os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]))
        continue
    sys.argv = [f"jobs/{job}.py", *flags]
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        print()
        print("loaded", job, *{name.partition(".")[0] for name in sys.modules})
"""


def run_jobs(jobs: list[str], *flags: str) -> tuple[dict[str, int], dict[str, set[str]], str]:
    """Exit codes and loaded packages by job, and their standard error, in processes with no Java."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, " ".join(jobs), *flags],
        cwd=ROOT, env={"PATH": "", "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300,
        check=True,
    )  # fmt: skip
    words = [line.split() for line in done.stdout.splitlines()]
    codes = {each[1]: int(each[2]) for each in words if each[:1] == ["ended"]}
    loaded = {each[1]: set(each[2:]) for each in words if each[:1] == ["loaded"]}
    return codes, loaded, done.stderr


def test_help_loads_no_library_of_the_work() -> None:
    codes, loaded, told = run_jobs(JOBS, "--help")
    assert (codes, told) == (dict.fromkeys(JOBS, 0), "")
    assert all("pozytywka_spark" in each for each in loaded.values())
    assert {job: each & HEAVY for job, each in loaded.items()} == {job: set() for job in JOBS}


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--no-such-flag"], "unrecognized arguments: --no-such-flag"),
        (["--set", "training.no_such_setting=1"], "unknown setting training.no_such_setting"),
    ],
)
def test_nor_does_wrong_usage(flags: list[str], told: str) -> None:
    codes, loaded, error = run_jobs(["train"], *flags)
    assert codes == {"train": 2}
    assert told in error
    assert loaded["train"] & HEAVY == set()
