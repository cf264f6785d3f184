"""An executor of a real cluster dies during features or training: the end is the same."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from cluster.standalone import standalone
from pyspark.sql import SparkSession

from tests.endurance.endured import end_state, overrides
from tests.running import JOBS

SECONDS = 540
# of each stage: the line that the one before it ends with, and how long after that one of its tasks runs
BEGUN = {"features": ("▸ ingest done", 0.7), "train": ("▸ features done", 4)}
ON_CLUSTER = [
    "lake.engine=delta-rs", "training.num_workers=2", "spark.shuffle_partitions=2",
    "spark.conf.spark.sql.adaptive.enabled=false", "spark.conf.spark.sql.codegen.wholeStage=false",
]  # fmt: skip
DOES_NOT_DEPEND_ON_WORKERS = ("events", "user_month", "features", "labels")


def executors(work: Path) -> list[int]:
    """Processes of the cluster whose workers keep their executors' folders in `work`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            here = (entry / "cwd").readlink().is_relative_to(work)
            if here and b"CoarseGrainedExecutorBackend" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:  # gone meanwhile
            continue
    return sorted(found)


@pytest.mark.parametrize("step", ["features", "train"])
def test_an_executor_killed_in_a_stage(
    spark: SparkSession, raw: Path, undisturbed: tuple[Path, dict[str, Any]], tmp_path: Path, step: str
) -> None:
    """Spark does its tasks again; a training that can't go on says so in one line, and runs again."""
    chosen = overrides(tmp_path / "home", raw, *ON_CLUSTER)
    sets = [part for override in chosen for part in ("--set", override)]
    environment = {key: value for key, value in os.environ.items() if key != "POZYTYWKA_CONF"}
    environment |= {"PYTHONUNBUFFERED": "1", "SPARK_LOCAL_IP": "127.0.0.1"}
    with standalone(tmp_path / "daemons") as master:
        command = [
            "bash", str(JOBS.parent / "scripts" / "submit.sh"), "pipeline", "--env", "cluster",
            "--master", master, *sets, "--", "--driver-memory", "1g", "--executor-memory", "1g",
            "--conf", "spark.executor.cores=1", "--conf", "spark.ui.enabled=false",
        ]  # fmt: skip
        log = tmp_path / "told"
        with log.open("w") as told, (tmp_path / "errors").open("w") as errors:
            process = subprocess.Popen(
                command, env=environment, cwd=tmp_path, stdout=told, stderr=errors, start_new_session=True
            )
            try:
                deadline = time.monotonic() + SECONDS
                said_before, until_tasks = BEGUN[step]
                while said_before not in log.read_text() and process.poll() is None:
                    assert time.monotonic() < deadline, "the stage did not begin"
                    time.sleep(0.05)
                time.sleep(until_tasks)
                victims = executors(tmp_path / "daemons")
                assert len(victims) == 2
                assert f"{step} done" not in log.read_text(), "too late"
                os.kill(victims[0], signal.SIGKILL)
                code = process.wait(timeout=deadline - time.monotonic())
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        if code:
            said = [line for line in (tmp_path / "errors").read_text().splitlines() if "error: " in line]
            assert (step, code, len(said)) == ("train", 1, 1), (tmp_path / "errors").read_text()[-1500:]
            again = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, check=False)
            assert again.returncode == 0, again.stderr[-1500:]
    state = end_state(spark, *chosen)
    assert state["model"] == undisturbed[1]["model"]
    for name in DOES_NOT_DEPEND_ON_WORKERS:
        assert state[name] == undisturbed[1][name], name
    assert state["predictions"][0] == undisturbed[1]["predictions"][0]
