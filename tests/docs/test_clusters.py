"""The docs' command lines for clusters that aren't there: their flags, keys, settings and files exist."""

import json
import os
import re
import shlex
import subprocess
import zipfile
from pathlib import Path

import pyspark
import pytest

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.lake.storage.filesystem import storage_of
from tests.spark_submit import SPARK, ask

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs" / "how-to" / "run-on-a-cluster.md"
ROWS = ("Standalone", "YARN", "Kubernetes")


def row(name: str) -> list[str]:
    """The pieces in backticks of that row of the docs' table of clusters."""
    text = PAGE.read_text(encoding="utf-8")
    (line,) = re.findall(rf"^\| {name}[^|]*\|(.*)\|$", text, re.MULTILINE)
    return re.findall(r"`([^`]+)`", line)


def settings_of(words: list[str]) -> Settings:
    """What a job of these words would work with."""
    overrides = [word for word, before in pairwise_back(words) if before == "--set"]
    settings = load_settings("cluster", overrides)
    assert settings.ingest.assume_alone, "a store has no lock: ingest would refuse the lake"
    assert settings.lake.file_systems, "else tasks need a folder that all machines share, lake.staging"
    return settings


def pairwise_back(words: list[str]) -> list[tuple[str, str]]:
    """Each word with the one before it."""
    return list(zip(words[1:], words, strict=False))


@pytest.fixture(scope="module")
def known_flags() -> set[str]:
    shown = ask([SPARK / "bin" / "spark-submit", "--help"])
    flags = set(re.findall(r"^ +(--[a-z-]+)", shown.stdout + shown.stderr, re.MULTILINE))
    assert {"--master", "--deploy-mode", "--py-files"} <= flags
    return flags


def spelt_in_jars(key: str) -> bool:
    """Whether Spark's own classes of settings have this key, or all of it up to the last dot."""
    family = key.rpartition(".")[0]
    spelt = {key.encode(), family.encode()} if family.count(".") >= 3 else {key.encode()}
    for jar in (
        each for part in ("kubernetes", "core", "yarn") for each in SPARK.glob(f"jars/spark-{part}_*.jar")
    ):
        with zipfile.ZipFile(jar) as classes:
            names = [
                n
                for n in classes.namelist()
                if re.search(r"(internal/config/\w+|k8s/Config|yarn/config/package)\$\.class$", n)
            ]
            if any(each in classes.read(name) for name in names for each in spelt):
                return True
    return False


@pytest.mark.parametrize("cluster", ROWS)
def test_spark_submit_knows_every_flag_and_key(cluster: str, known_flags: set[str]) -> None:
    words = shlex.split(row(cluster)[0])
    command = subprocess.run(
        ["bash", "scripts/submit.sh", "pipeline", "--env", "cluster", "--dry-run", *words],
        cwd=PROJECT, env=os.environ | {"PYSPARK_PYTHON": "/opt/pozytywka/venv/bin/python"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert command.returncode == 0, command.stderr
    parts = shlex.split(command.stdout)
    job_at = parts.index(str(PROJECT / "jobs" / "pipeline.py"))
    ours, spark = parts[job_at + 1 :], parts[1:job_at]
    assert {word for word in spark if word.startswith("--")} <= known_flags
    keys = [word.partition("=")[0] for word, before in pairwise_back(spark) if before == "--conf"]
    assert [key for key in keys if not spelt_in_jars(key)] == []
    settings = settings_of(ours)
    assert settings.raw.path
    assert settings.lake.engine == "delta-spark"


def test_a_key_that_spark_does_not_have_is_noticed() -> None:
    assert spelt_in_jars("spark.kubernetes.container.image")
    assert spelt_in_jars("spark.kubernetes.driver.secretKeyRef.AWS_ACCESS_KEY_ID")
    assert not spelt_in_jars("spark.kubernetes.container.picture")
    assert not spelt_in_jars("spark.kubernetes.driver.secretRef.AWS_ACCESS_KEY_ID")


def test_delta_s_jars_are_those_that_the_pinned_package_asks_for() -> None:
    lock = (PROJECT / "requirements.lock").read_text(encoding="utf-8").lower()
    delta = re.search(r"^delta[_-]spark==(\S+)", lock, re.MULTILINE)
    assert delta is not None
    spark = ".".join(pyspark.__version__.split(".")[:2])
    named = set(re.findall(r"io\.delta:[\w.-]+:[\d.]+", PAGE.read_text(encoding="utf-8")))
    assert named == {f"io.delta:delta-spark_{spark}_2.13:{delta[1]}"}
    hadoop = next(SPARK.glob("jars/hadoop-client-api-*.jar")).stem.rpartition("-")[2]
    named = set(re.findall(r"hadoop-aws:([\d.]+)", PAGE.read_text(encoding="utf-8")))
    assert named == {hadoop}


def test_dataproc_s_line_names_files_that_there_are_and_settings_that_load() -> None:
    (line,) = (each for each in row("Dataproc") if each.startswith("gcloud"))
    words = shlex.split(line)
    given = dict(word[2:].split("=", 1) for word in words if word.startswith("--") and "=" in word)
    assert (PROJECT / words[words.index("pyspark") + 1]).is_file()
    assert all((PROJECT / file).is_file() for file in given["files"].split(","))
    version = re.search(r'^version = "(.*)"', (PROJECT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert given["py-files"] == f"dist/pozytywka_spark-{version[1]}-py3-none-any.whl.zip"
    ours = words[words.index("--") + 1 :]
    settings = settings_of(ours)
    assert (settings.raw.path, settings.lake.root) == ("gs://b/raw", "gs://b/lake")


def test_databricks_s_line_is_a_task_whose_settings_load() -> None:
    (line,) = (each for each in row("Databricks") if each.startswith("databricks jobs submit"))
    words = shlex.split(line)
    (task,) = json.loads(words[words.index("--json") + 1])["tasks"]
    python = task["spark_python_task"]
    assert (PROJECT / "jobs" / Path(python["python_file"]).name).is_file()
    ours = python["parameters"]
    settings = settings_of(ours)
    assert settings.mlflow.tracking_uri == "databricks"
    version = re.search(r'^version = "(.*)"', (PROJECT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert Path(task["libraries"][0]["whl"]).name == f"pozytywka_spark-{version[1]}-py3-none-any.whl"


@pytest.mark.parametrize("cluster", ["YARN"])
def test_tasks_can_open_the_lake_there_and_ingest_starts(cluster: str) -> None:
    settings = settings_of(shlex.split(row(cluster)[0].partition(" -- ")[0]))
    assert storage_of(settings).opens(settings.lake.root)
    assert settings.ingest.assume_alone
