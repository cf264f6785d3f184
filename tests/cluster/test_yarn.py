"""Jobs on YARN with HDFS as lake and raw: two node managers on loopback, the environment as an archive."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sysconfig
import tarfile
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyspark
import pytest
from cluster.yarn import Yarn, yarn_cluster
from pyspark.sql import SparkSession

from pozytywka_spark.config import load_settings
from pozytywka_spark.spark.delta_jars import DELTA_ON_ONE_MACHINE
from pozytywka_spark.spark.jvm_archive import with_archive
from pozytywka_spark.synthetic.world import write_world
from tests.jars import needed

PROJECT = Path(__file__).resolve().parents[2]
TINY = [
    "training.max_trees=5", "training.min_positives=1", "evaluation.bootstrap=5", "synthetic.users=200",
    "synthetic.months=8", "synthetic.tracks=400", "synthetic.played_tracks=200", "synthetic.artists=60",
    "spark.shuffle_partitions=2", "spark.conf.spark.sql.adaptive.enabled=false",
    "spark.conf.spark.sql.codegen.wholeStage=false",
]  # fmt: skip
LAKE = ["lake.file_systems=[hdfs]", "ingest.assume_alone=true"]
JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=256m"
# A node has 4096 MB: an executor's 2048 and a master's or a driver's 1792 fit, a second executor doesn't
MEMORY = [
    "spark.executor.memory=1g", "spark.executor.memoryOverhead=1g", "spark.executor.cores=1",
    "spark.driver.memory=1g", "spark.driver.memoryOverhead=768m", "spark.yarn.am.memory=512m",
]  # fmt: skip

pytestmark = [pytest.mark.jvm, pytest.mark.system]


@dataclass(frozen=True)
class Run:
    """A job on YARN: its exit, what its driver printed, and Spark's events."""

    done: subprocess.CompletedProcess[str]
    printed: str
    events: list[dict[str, Any]]

    def tasks_of_nodes(self) -> dict[str, int]:
        """How many tasks ended well on each node manager, by its port."""
        node = {
            event["Executor ID"]: event["Executor Info"]["Attributes"]["NM_PORT"]
            for event in self.events
            if event["Event"] == "SparkListenerExecutorAdded"
        }
        found: dict[str, int] = {}
        for event in self.events:
            if event["Event"] == "SparkListenerTaskEnd" and event["Task End Reason"]["Reason"] == "Success":
                port = node[event["Task Info"]["Executor ID"]]
                found[port] = found.get(port, 0) + 1
        return found


@pytest.fixture(scope="module")
def yarn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yarn]:
    jars = needed("yarn")
    needed("delta")
    folder = tmp_path_factory.mktemp("yarn")
    with yarn_cluster(folder, jars[0].parent) as running:
        yield running
    args = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    assert str(folder) not in args, "a daemon or a container outlived its cluster"
    shutil.rmtree(folder)  # each node has its own copy of the environment


def submitted(yarn: Yarn, folder: Path, job: str, archive: str, mode: str, *sets: str) -> Run:
    """`scripts/submit.sh JOB --env cluster --master yarn`, and what it left."""
    events = folder / "events"
    events.mkdir(parents=True)
    spark_jars = Path(pyspark.__file__).parent / "jars"
    confs = [
        *MEMORY, "spark.executor.instances=2", "spark.dynamicAllocation.enabled=false",
        "spark.ui.enabled=false",
        f"spark.executor.extraJavaOptions={with_archive(JVM)}", f"spark.yarn.am.extraJavaOptions={JVM}",
        "spark.eventLog.enabled=true", f"spark.eventLog.dir=file://{events}",
        "spark.eventLog.rolling.enabled=false", "spark.eventLog.compress=false",
        *(f"{name}={value}" for name, value in DELTA_ON_ONE_MACHINE.items()),  # which these nodes are
        f"spark.yarn.jars=local:{spark_jars}/*",  # else 400 MB go through HDFS with every job
        "spark.yarn.maxAppAttempts=1",
    ]  # fmt: skip
    unwanted = ("PYTHONPATH", "POZYTYWKA_CONF", "PYSPARK_SUBMIT_ARGS", "PYSPARK_PYTHON", "SPARK_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    environment |= {"HADOOP_CONF_DIR": str(yarn.conf), "SPARK_LOCAL_IP": "127.0.0.1"}
    settings = (f"home={folder}/home", *LAKE, *TINY, *sets)
    done = subprocess.run(
        [
            "bash", PROJECT / "scripts" / "submit.sh", job, "--env", "cluster", "--master", "yarn",
            *(part for override in settings for part in ("--set", override)), "--",
            "--deploy-mode", mode, "--archives", f"{archive}#environment",
            "--jars", ",".join(map(str, needed("delta"))),
            *(part for conf in confs for part in ("--conf", conf)),
        ],
        env=environment, cwd=folder, capture_output=True, text=True, timeout=1800, check=False,
    )  # fmt: skip
    log = next(iter(events.iterdir()), None)
    lines = log.read_text().splitlines() if log else []
    printed = done.stdout
    if mode == "cluster" and log:
        application = re.match(r"application_\d+_\d+", log.name)
        assert application, log.name
        of_containers = sorted(yarn.nodes.glob(f"*logDir*/{application[0]}/*_000001/stdout"))
        printed = "".join(path.read_text() for path in of_containers)
    return Run(done, printed, [json.loads(line) for line in lines])


def checked(run: Run) -> Run:
    assert run.done.returncode == 0, run.printed[-1500:] + run.done.stderr[-3000:]
    return run


def small_archive(folder: Path) -> Path:
    """A Python of its own that borrows this one's packages, but for the project: that comes as a wheel."""
    home = folder / "environment"
    venv.create(home, symlinks=True)
    packages = next((home / "lib").glob("python*/site-packages"))
    (packages / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    archive = folder / "environment.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
        packed.add(home, ".")
    return archive


def test_doctor_finds_tasks_hdfs_and_the_archive(yarn: Yarn, tmp_path: Path) -> None:
    archive = str(small_archive(tmp_path / "small"))
    run = checked(submitted(yarn, tmp_path, "doctor", archive, "client", "lake.root=hdfs:///doctor"))
    assert re.search(
        rf"ok +Spark .* yarn, a Python worker answers from {yarn.nodes}/.*/environment and 1 more\n",
        run.printed,
    )
    assert "hdfs:///doctor: read and written by tasks" in run.printed
    assert re.search(r"ok +Delta jars +delta-spark \d", run.printed)
    assert "jobs can run" in run.printed
    assert len(run.tasks_of_nodes()) == 2


@pytest.fixture(scope="module")
def packed(yarn: Yarn) -> str:
    """What scripts/pack.sh makes, in HDFS."""
    subprocess.run(
        ["bash", PROJECT / "scripts" / "pack.sh"], check=True, env=os.environ | {"PACK_LEVEL": "1"}
    )
    yarn.put(PROJECT / "dist" / "environment.tar.gz", "/envs/environment.tar.gz")
    return "hdfs:///envs/environment.tar.gz"


@pytest.fixture(scope="module")
def pipelines(
    yarn: Yarn, packed: str, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Run]:
    """The whole pipeline in client and in cluster mode, on the same delivery, each with a lake of its own."""
    folder = tmp_path_factory.mktemp("pipelines")
    write_world(spark, load_settings("local", [f"home={folder}/here", *TINY]), str(folder / "raw"))
    yarn.put(folder / "raw", "/raw")
    return {
        mode: submitted(
            yarn, folder / mode, "pipeline", packed, mode, "raw.path=hdfs:///raw", f"lake.root=hdfs:///{mode}"
        )
        for mode in ("client", "cluster")
    }


@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_the_pipeline_ends_well_with_tasks_on_both_nodes(pipelines: dict[str, Run], mode: str) -> None:
    run = checked(pipelines[mode])
    assert "models on the test months" in run.printed
    assert f"tables   hdfs:///{mode}" in run.printed
    tasks = run.tasks_of_nodes()
    assert len(tasks) == 2
    assert min(tasks.values()) > sum(tasks.values()) // 10


def test_a_driver_on_the_cluster_has_its_settings_among_the_files(
    pipelines: dict[str, Run], yarn: Yarn
) -> None:
    checked(pipelines["cluster"])
    sent = {path.name for path in yarn.nodes.glob("*localDir*/usercache/*/filecache/*/*.yaml")}
    assert {"base.yaml", "cluster.yaml"} <= sent


def test_both_modes_make_the_same_tables(pipelines: dict[str, Run], yarn: Yarn, tmp_path: Path) -> None:
    for mode in pipelines:
        yarn.get(f"/{mode}", tmp_path / mode)
    for name in ("events", "user_month", "features", "labels"):
        one, other = (pl.read_delta(str(tmp_path / mode / name)) for mode in ("client", "cluster"))
        keys = [key for key in ("user_id", "month", "event_id") if key in one.columns]
        assert one.height
        assert one.sort(keys).equals(other.select(one.columns).sort(keys)), name


def test_tasks_run_from_the_packed_environment(yarn: Yarn, packed: str, tmp_path: Path) -> None:
    run = checked(submitted(yarn, tmp_path, "doctor", packed, "client", "lake.root=hdfs:///doctor"))
    assert re.search(rf"a Python worker answers from {yarn.nodes}/.*/environment", run.printed)
    assert "executors' packages" not in run.printed
