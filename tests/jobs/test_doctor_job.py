"""The job `doctor` through its entry point."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.running import run


def test_a_machine_on_which_jobs_can_run(
    spark: SparkSession, tmp_path: Path, sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("doctor", f"home={tmp_path}", f"raw.path={sample}") == 0
    printed = capsys.readouterr().out
    for check in (
        "Python",
        "packages",
        "Java",
        "cores",
        "memory",
        "disk",
        "clock",
        "Spark",
        "lake",
        "MLflow",
    ):
        assert f"\nok       {check}" in printed, printed
    assert f"{sample}: every entity" in printed
    assert "a Python worker answers" in printed
    assert printed.rstrip().endswith("jobs can run")
    assert not (tmp_path / "lake").exists()
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.system  # the doctor starts what it asks
def test_trouble_is_told_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lake").write_text("a file where a folder should be")
    sets = [f"home={tmp_path}", "training.num_workers=4", "spark.master=local[2]"]
    assert run("doctor", *sets, flags=("--quick",)) == 1
    printed = capsys.readouterr().out
    assert "trouble  cores" in printed
    assert "→ training would wait for ever: set training.num_workers<=2" in printed
    assert "trouble  lake" in printed
    assert "in trouble: 2" in printed
