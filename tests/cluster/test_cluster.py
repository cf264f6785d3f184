"""The whole pipeline on a real standalone cluster: a master and two workers of one core, on loopback."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sysconfig
import venv
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cluster.standalone import standalone

from pozytywka_spark import schemas
from pozytywka_spark.config import load_settings
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.lake import open_lake
from pozytywka_spark.spark.jvm_archive import with_archive
from pozytywka_spark.spark.session_on_demand import session_on_demand
from tests.worlds.made_delivery import FEW_MONTHS, FOUR_MONTHS, write_delivery

PROJECT = Path(__file__).resolve().parents[2]
TINY = [
    *FEW_MONTHS, "lake.engine=delta-rs", "training.num_workers=2", "spark.shuffle_partitions=2",
    "spark.conf.spark.sql.adaptive.enabled=false", "spark.conf.spark.sql.codegen.wholeStage=false",
]  # fmt: skip
JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=256m"


@dataclass
class Run:
    """What a pipeline on the cluster left: its output, its home, its event log, the executors' folders, and
    the daemons' processes as they were before the cluster's block failed."""

    done: subprocess.CompletedProcess[str]
    home: Path
    events: list[dict[str, Any]]
    work: Path
    daemons: list[str]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["Event"] == f"SparkListener{kind}"]


def executors_python(folder: Path) -> Path:
    """A Python with our packages but without the project: executors have it from the wheel, or not at all.

    The packages' folder is named in a `.pth` file, and Python doesn't look at such files inside it,
    which is how an editable project would be found.
    """
    venv.create(folder, symlinks=True)
    packages = next((folder / "lib").glob("python*/site-packages"))
    (packages / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = folder / "bin" / "python"
    seen = subprocess.run(
        [python, "-c", "import pyspark, pozytywka_spark"],
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True, text=True, cwd=folder, check=False,
    )  # fmt: skip
    assert "No module named 'pozytywka_spark'" in seen.stderr
    return python


def processes_naming(*texts: str) -> list[str]:
    """By their command lines: daemons and executors name the folder of their cluster, and its master."""
    found = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if any(text in line for text in texts)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """`scripts/submit.sh pipeline --env cluster --master spark://…`, once for all tests; the cluster's block
    fails in the end."""
    folder = tmp_path_factory.mktemp("cluster")
    events = folder / "events"
    events.mkdir()
    raw = write_delivery(FOUR_MONTHS, tmp_path_factory.mktemp("raw"))
    overrides = (f"home={folder}/home", f"raw.path={raw}", *TINY)
    sets = [part for override in overrides for part in ("--set", override)]
    confs = [
        "spark.eventLog.enabled=true", f"spark.eventLog.dir=file://{events}",
        "spark.eventLog.rolling.enabled=false", "spark.eventLog.compress=false",
        f"spark.executor.extraJavaOptions={with_archive(JVM)}", "spark.ui.enabled=false",
        # on a busy machine one executor would have done quick work before the other is there
        "spark.cores.max=2", "spark.scheduler.minRegisteredResourcesRatio=1.0",
        "spark.scheduler.maxRegisteredResourcesWaitingTime=120s",
    ]  # fmt: skip
    environment = os.environ | {
        "PYSPARK_PYTHON": str(executors_python(folder / "python")), "SPARK_LOCAL_IP": "127.0.0.1",
    }  # fmt: skip
    for name in ("PYTHONPATH", "POZYTYWKA_CONF", "PYSPARK_SUBMIT_ARGS", "SPARK_HOME"):
        environment.pop(name, None)
    with suppress(ZeroDivisionError), standalone(folder / "daemons") as master:
        done = subprocess.run(
            [
                "bash", PROJECT / "scripts" / "submit.sh", "pipeline",
                "--env", "cluster", "--master", master, *sets, "--",
                "--driver-java-options", with_archive(JVM), "--driver-memory", "1g",
                "--executor-memory", "1g", "--conf", "spark.executor.cores=1",
                *(part for conf in confs for part in ("--conf", conf)),
            ],
            env=environment, cwd=folder, capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip
        daemons = processes_naming(f"--port {master.rpartition(':')[2]}", master)
        raise ZeroDivisionError
    log = next(iter(events.iterdir()), None)
    lines = log.read_text().splitlines() if log else []
    told = [json.loads(line) for line in lines]
    return Run(done, folder / "home", told, folder / "daemons" / "work", daemons)


def test_the_pipeline_ends_as_it_does_on_one_machine(run: Run) -> None:
    assert run.done.returncode == 0, run.done.stdout[-1500:] + run.done.stderr[-1500:]
    told = ("▸", "WARNING: Using incubator modules", "netlib-")  # setting up; Java; its BLAS
    spoken = [line for line in run.done.stderr.splitlines() if not line.startswith(told)]
    assert spoken == [], "something beside the job spoke"
    table = run.done.stdout[run.done.stdout.index("models on the test months") :]
    for model in ("majority", "logistic", "xgboost"):
        assert re.search(rf"^{model}\s+0\.\d+\s+0\.\d+", table, re.MULTILINE), table
    tables = {log.parent.name for log in (run.home / "lake").glob("*/_delta_log")}
    assert {"events", "users", "user_month", "features", "labels", "predictions"} <= tables


def test_both_executors_worked(run: Run) -> None:
    tasks = [
        end["Task Info"]["Executor ID"]
        for end in run.of("TaskEnd")
        if end["Task End Reason"]["Reason"] == "Success"
    ]
    assert {"0", "1"} == set(tasks), "tasks ran elsewhere"
    assert min(tasks.count("0"), tasks.count("1")) > len(tasks) // 10


def test_raw_lines_were_read_on_both_executors(run: Run) -> None:
    stages = {
        stage
        for job in run.of("JobStart")
        if "pozytywka LineWork" in job["Properties"].get("spark.job.tags", "")
        for stage in job["Stage IDs"]
    }
    assert {end["Task Info"]["Executor ID"] for end in run.of("TaskEnd") if end["Stage ID"] in stages} == {
        "0",
        "1",
    }


def test_features_are_those_of_one_machine(run: Run, tmp_path: Path) -> None:
    """Built anew by this process from the silver tables there: the same rows, the same record of months."""
    there = run.home / "lake"
    for table in schemas.SILVER:
        shutil.copytree(there / table.name, tmp_path / "lake" / table.name)
    settings = load_settings("local", [f"home={tmp_path}", "lake.engine=delta-rs"])
    spark = session_on_demand(settings, "features")
    build_features(spark, settings, open_lake(settings, spark))
    for name in ("user_month", "features", "labels"):
        theirs, ours = (
            pl.read_delta(str(lake / name)).sort("user_id", "month") for lake in (there, tmp_path / "lake")
        )
        assert theirs.height
        assert theirs.equals(ours), name
    records = [
        pl.read_delta(str(lake / "feature_builds")).sort("month").select("month", "inputs", "event_hash")
        for lake in (there, tmp_path / "lake")
    ]
    assert records[0].equals(records[1])


def test_xgboost_trained_across_executors(run: Run) -> None:
    """The booster's stage: two tasks at once at a barrier, one on each executor."""
    assert "training.num_workers asks for 2" in run.done.stdout or "2 workers" in run.done.stdout
    barriers = {
        stage["Stage Info"]["Stage ID"]
        for stage in run.of("StageSubmitted")
        if any(rdd.get("Barrier") for rdd in stage["Stage Info"]["RDD Info"])
    }
    places = {
        stage: {end["Task Info"]["Executor ID"] for end in run.of("TaskEnd") if end["Stage ID"] == stage}
        for stage in barriers
    }
    assert {"0", "1"} in places.values(), places


def test_executors_had_the_package_from_the_wheel(run: Run) -> None:
    shipped = {file.name for file in run.work.glob("app-*/*/pozytywka_spark-*")}
    assert len(shipped) == 1
    assert shipped.pop().endswith(".whl.zip")


def test_nothing_of_the_cluster_is_left_though_its_block_failed(run: Run) -> None:
    assert len(run.daemons) == 3, "a master and two workers"
    assert processes_naming(*run.daemons, str(run.work.parent), str(run.home.parent / "python")) == []
