"""The image's entry point, with stand-ins for Spark and Java; the image is built where there is an engine."""

import os
import re
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
IMAGE = PROJECT / "scripts" / "image"


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    """A Spark, a Java and a Python that print what they are given, a line a word."""
    for program in ("spark/bin/spark-submit", "java/bin/java", "python"):
        path = tmp_path / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('#!/bin/sh\nprintf "%s\\n" "$0" "$@"\n')
        path.chmod(0o755)
    project = tmp_path / "project"
    (project / "jobs").mkdir(parents=True)
    (project / "jobs" / "pipeline.py").touch()
    (project / "entrypoint.sh").symlink_to(IMAGE / "entrypoint.sh")
    return {
        "PATH": os.environ["PATH"], "SPARK_HOME": f"{tmp_path}/spark", "JAVA_HOME": f"{tmp_path}/java",
        "PYSPARK_PYTHON": f"{tmp_path}/python",
    }  # fmt: skip


def enter(places: dict[str, str], *words: str, **given: str) -> list[str]:
    project = Path(places["SPARK_HOME"]).parent / "project"
    done = subprocess.run(
        ["bash", f"{project}/entrypoint.sh", *words],
        env=places | given, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_driver_is_submitted_in_its_own_pod(places: dict[str, str]) -> None:
    asked = [
        "--properties-file",
        "/opt/spark/conf/spark.properties",
        "--class",
        "C",
        "local:///a b.py",
        "--set",
        "x=1",
    ]
    assert enter(places, "driver", *asked, SPARK_DRIVER_BIND_ADDRESS="10.0.0.7") == [
        f"{places['SPARK_HOME']}/bin/spark-submit", "--conf", "spark.driver.bindAddress=10.0.0.7",
        "--deploy-mode", "client", *asked,
    ]  # fmt: skip


def test_an_executor_has_what_kubernetes_put_into_its_environment(places: dict[str, str]) -> None:
    options = {f"SPARK_JAVA_OPT_{n}": f"-Dn={n} of 12" for n in range(12)}
    shown = enter(
        places, "executor", **options, SPARK_EXECUTOR_MEMORY="2g", SPARK_DRIVER_URL="spark://d:1",
        SPARK_EXECUTOR_ID="3",
        SPARK_EXECUTOR_CORES="2", SPARK_APPLICATION_ID="app", SPARK_EXECUTOR_POD_IP="10.0.0.8",
        SPARK_RESOURCE_PROFILE_ID="0", SPARK_EXECUTOR_POD_NAME="pod",
        SPARK_CONF_DIR="/conf", SPARK_CLASSPATH="/more.jar",
    )  # fmt: skip
    assert shown == [
        f"{places['JAVA_HOME']}/bin/java", *options.values(), "-Xms2g", "-Xmx2g",
        "-cp", f"/conf:/more.jar:{places['SPARK_HOME']}/jars/*",
        "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend",
        "--driver-url", "spark://d:1", "--executor-id", "3", "--cores", "2", "--app-id", "app",
        "--hostname", "10.0.0.8", "--resourceProfileId", "0", "--podName", "pod",
    ]  # fmt: skip


def test_a_job_goes_by_its_name_and_anything_else_as_it_is(places: dict[str, str]) -> None:
    project = Path(places["SPARK_HOME"]).parent / "project"
    job = enter(places, "pipeline", "--set", "home=/tmp/x y")
    assert job == [places["PYSPARK_PYTHON"], f"{project}/jobs/pipeline.py", "--set", "home=/tmp/x y"]
    assert enter(places, "echo", "as it is") == ["as it is"]
    assert enter(places, "sh", "-c", "echo ${POZYTYWKA_CONF-}") == [""]
    Path(places["PYSPARK_PYTHON"]).write_text('#!/bin/sh\necho "$POZYTYWKA_CONF"\n')
    assert enter(places, "pipeline") == [f"{project}/conf"]
    assert enter(places, "pipeline", POZYTYWKA_CONF="/own") == ["/own"]


def test_all_that_the_image_takes_in_is_sent_to_the_engine_and_exists() -> None:
    copied = set()
    for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", (IMAGE / "Dockerfile").read_text(), re.MULTILINE):
        copied |= set(sources.split())
    sent = set(re.findall(r"^!(.*)$", (IMAGE / "Dockerfile.dockerignore").read_text(), re.MULTILINE))
    assert copied == sent
    assert all((PROJECT / name).exists() for name in copied)
