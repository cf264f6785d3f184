"""A real Airflow, in an environment of its own that has nothing of ours, imports the DAG and runs it."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pozytywka_spark.cli import OUT
from pozytywka_spark.orchestration.stage import STEPS
from tests.running import run

RELEASE = "3.3.2"
PROBE = Path(__file__).with_name("airflow_probe.py")
# a job that keeps a log and ends as the step's own job may
SCRIPT = """#!/bin/sh
echo "$PWD: $*" >> "{log}"
case "$*" in
    *"--step gate") exit 3 ;;
    *"--step monitor") exit 4 ;;
    *"--step {failing}") exit 1 ;;
esac
"""


@dataclass(frozen=True)
class Airflow:
    """An installed Airflow: its folder of programs, and where it keeps all it has."""

    programs: Path
    home: Path

    def run(self, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        """One of its programs, told nothing of this project."""
        environment = {
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "HOME": str(self.home),
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        }
        command = [str(self.programs / program), *words]
        return subprocess.run(
            command, env=environment, cwd=self.home, capture_output=True, text=True, check=False, timeout=600
        )


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    """Installed from pip's package index, 260 MB in half a minute; skipped where there is none."""
    folder = tmp_path_factory.mktemp("airflow")
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
    programs = folder / "env" / "bin"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    for words in (["uv"], ["--no-deps", "--dry-run", "--quiet", f"apache-airflow=={RELEASE}"]):
        if subprocess.run(
            [programs / "pip", "install", "-q", *words], env=environment, check=False
        ).returncode:
            pytest.skip(f"pip can't get {words[-1]} here")
    # uv, for pip takes minutes over the 200 packages
    command = [programs / "uv", "pip", "install", "-q", "--python", programs / "python"]
    subprocess.run([*command, f"apache-airflow=={RELEASE}"], env=environment, check=True)
    made = Airflow(programs, folder / "home")
    (made.home / "dags").mkdir(parents=True)
    done = made.run("airflow", "db", "migrate")
    assert done.returncode == 0, done.stderr
    yield made
    shutil.rmtree(folder)


def put_dag(
    airflow: Airflow, folder: Path, monkeypatch: pytest.MonkeyPatch, failing: str = "none", retries: int = 3
) -> Path:
    """The printed DAG in Airflow's folder, its command one that writes to the log."""
    folder.mkdir()
    script, log = folder / "pozytywka", folder / "log"
    script.write_text(SCRIPT.format(log=log, failing=failing))
    script.chmod(0o755)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", [str(script)])
    with OUT.capture() as told:
        flags = ("--dag", "--monthly", "2023-03")
        assert run("pipeline", "raw.path=deliveries/{month}", flags=flags) == 0
    (airflow.home / "dags" / "pozytywka.py").write_text(
        told.get().replace('"retries": 3', f'"retries": {retries}')
    )
    return log


def ending(tested: subprocess.CompletedProcess[str]) -> str:
    """The state that the DAG's run ended in."""
    (line,) = re.findall(r"DagRun Finished:.* state=(\w+)", tested.stdout + tested.stderr)
    return str(line)


@pytest.mark.nightly  # an environment of 260 MB is made, and each task is a process: a minute
def test_a_real_airflow_does_the_month_before_in_the_steps_order(
    airflow: Airflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = put_dag(airflow, tmp_path / "work", monkeypatch)
    names = [step.name for step in STEPS]
    probed = airflow.run("python", str(PROBE), str(airflow.home / "dags"))
    said = json.loads(probed.stdout.splitlines()[-1])
    assert said == {
        "errors": {},
        "dags": ["pozytywka"],
        "tasks": names,
        "follows": {name: names[max(place - 1, 0) : place] for place, name in enumerate(names)},
        "ours": [],
    }
    assert airflow.run("airflow", "dags", "reserialize").returncode == 0
    following = airflow.run("airflow", "dags", "next-execution", "pozytywka", "-n", "3").stdout
    # as Airflow names runs: by the beginning of their interval
    assert re.findall(r"^(\d{4}-\d\d-\d\d)T\S+$", following, re.MULTILINE) == [
        "2023-03-01",
        "2023-04-01",
        "2023-05-01",
    ]
    tested = airflow.run("airflow", "dags", "test", "pozytywka", "2023-06-01")
    assert tested.returncode == 0, tested.stdout[-2000:]
    assert ending(tested) == "success"
    assert log.read_text().splitlines() == [
        f"{log.parent}: pipeline --set raw.path=deliveries/2023-05 --monthly 2023-05 --step {name}"
        for name in names
    ]


@pytest.mark.nightly
def test_a_step_that_fails_stops_the_month(
    airflow: Airflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = put_dag(airflow, tmp_path / "work", monkeypatch, failing="features", retries=0)
    tested = airflow.run("airflow", "dags", "test", "pozytywka", "2023-06-01")
    assert ending(tested) == "failed"
    assert {line.rpartition(" ")[2] for line in log.read_text().splitlines()} == {"ingest", "features"}
