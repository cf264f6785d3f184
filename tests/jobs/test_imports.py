"""What a job loads before it works: flags and settings, nothing that takes seconds."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
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


@dataclass
class Ended:
    """By job: exit codes, standard output, loaded packages; the standard error of all."""

    told: str
    codes: dict[str, int] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    loaded: dict[str, set[str]] = field(default_factory=dict)


def run_jobs(jobs: list[str], *flags: str) -> Ended:
    """In processes with no Java."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, " ".join(jobs), *flags],
        cwd=ROOT, env={"PATH": "", "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300,
        check=True,
    )  # fmt: skip
    ended, page = Ended(done.stderr), []
    for line in done.stdout.splitlines():
        match line.split():
            case ["loaded", job, *packages]:
                ended.loaded[job], ended.pages[job], page = set(packages), "\n".join(page), []
            case ["ended", job, code]:
                ended.codes[job] = int(code)
            case _:
                page.append(line)
    return ended


@pytest.fixture(scope="module")
def helped() -> Ended:
    """Every job asked for its help."""
    return run_jobs(JOBS, "--help")


def test_help_loads_no_library_of_the_work(helped: Ended) -> None:
    assert (helped.codes, helped.told) == (dict.fromkeys(JOBS, 0), "")
    assert all("pozytywka_spark" in each for each in helped.loaded.values())
    assert {job: each & HEAVY for job, each in helped.loaded.items()} == {job: set() for job in JOBS}


@pytest.mark.parametrize("job", JOBS)
def test_every_job_has_a_help_page_with_the_common_flags(helped: Ended, job: str) -> None:
    assert f"usage: scripts/submit.sh {job}" in helped.pages[job]
    for flag in ("--env", "--set", "--verbose"):
        assert flag in helped.pages[job]


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--no-such-flag"], "unrecognized arguments: --no-such-flag"),
        (["--set", "training.no_such_setting=1"], "unknown setting training.no_such_setting"),
    ],
)
def test_nor_does_wrong_usage(flags: list[str], told: str) -> None:
    ended = run_jobs(["train"], *flags)
    assert ended.codes == {"train": 2}
    assert told in ended.told
    assert ended.loaded["train"] & HEAVY == set()
