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
# as the job's own file is run; what it has loaded is the last line
CODE = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    print()
    print(*{name.partition(".")[0] for name in sys.modules})
"""


def run_job(name: str, *flags: str) -> tuple[int, set[str], str]:
    """Exit code, loaded packages and standard error of a job in a process of its own, with no Java."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, f"jobs/{name}.py", *flags],
        cwd=ROOT, env={"PATH": "", "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    return done.returncode, set(done.stdout.splitlines()[-1].split()), done.stderr


@pytest.mark.parametrize("name", JOBS)
def test_help_loads_no_library_of_the_work(name: str) -> None:
    code, loaded, told = run_job(name, "--help")
    assert (code, told) == (0, "")
    assert "pozytywka_spark" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--no-such-flag"], "unrecognized arguments: --no-such-flag"),
        (["--set", "training.no_such_setting=1"], "unknown setting training.no_such_setting"),
    ],
)
def test_nor_does_wrong_usage(flags: list[str], told: str) -> None:
    code, loaded, error = run_job("train", *flags)
    assert code == 2
    assert told in error
    assert loaded & HEAVY == set()
