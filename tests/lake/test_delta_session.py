"""What a session is told when the engine is delta-spark; no session is started for it."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.spark import delta_jars, session
from pozytywka_spark.spark.delta_jars import not_fetched, with_delta_jars
from pozytywka_spark.spark.s3a import s3a_conf

EXTENSIONS = "spark.sql.extensions"
DELTA = "io.delta.sql.DeltaSparkSessionExtension"


def _settings(*overrides: str) -> Settings:
    return load_settings("local", overrides)


def test_the_session_knows_delta_only_if_asked() -> None:
    assert EXTENSIONS not in session._conf(_settings(), "test")
    conf = session._conf(_settings("lake.engine=delta-spark"), "test")
    assert conf[EXTENSIONS] == DELTA
    assert conf["spark.sql.catalog.spark_catalog"] == "org.apache.spark.sql.delta.catalog.DeltaCatalog"
    more = f"{DELTA},com.example.Other"
    own = session._conf(_settings("lake.engine=delta-spark", f"spark.conf.{EXTENSIONS}={more}"), "test")
    assert own[EXTENSIONS] == more


@pytest.fixture
def nothing_brought(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment without the jars of scripts/jars.sh."""
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    monkeypatch.setattr(delta_jars.sys, "prefix", str(tmp_path))


def asked(*overrides: str) -> Settings:
    return _settings("lake.engine=delta-spark", "lake.delta_jars=download", *overrides)


@pytest.mark.usefixtures("nothing_brought")
def test_jars_are_fetched_only_if_asked() -> None:
    other = "spark.conf.spark.jars.packages=org.example:other:1"
    provided = with_delta_jars(SparkSession.Builder(), _settings("lake.engine=delta-spark", other))
    assert "spark.jars.packages" not in provided._options
    fetched = with_delta_jars(SparkSession.Builder(), asked(other))
    packages = fetched._options["spark.jars.packages"].split(",")
    assert packages == [f"io.delta:delta-spark_4.2_2.13:{version('delta-spark')}", "org.example:other:1"]


@pytest.mark.usefixtures("nothing_brought")
def test_jars_that_are_here_are_not_fetched(tmp_path: Path) -> None:
    folder = tmp_path / "share" / "pozytywka-jars" / "delta"
    folder.mkdir(parents=True)
    older = folder / "delta-spark_4.2_2.13-1.0.0.jar"
    older.touch()
    assert "spark.jars.packages" in with_delta_jars(SparkSession.Builder(), asked())._options
    ours = folder / f"delta-spark_4.2_2.13-{version('delta-spark')}.jar"
    older.rename(ours)
    options = with_delta_jars(SparkSession.Builder(), asked("spark.conf.spark.jars=/other.jar"))._options
    assert options["spark.jars"] == f"{ours},/other.jar"
    assert "spark.jars.packages" not in options


@pytest.mark.usefixtures("nothing_brought")
def test_jars_that_can_not_be_fetched_are_named(tmp_path: Path) -> None:
    log = tmp_path / "ingest.log"
    assert not_fetched(asked(), log) is None
    log.write_text("Error occurred during initialization of VM\n")
    assert not_fetched(asked(), log) is None, "Java's own trouble"
    for line in (
        "java.lang.RuntimeException: [unresolved dependency: io.delta#delta-spark_4.2_2.13;4.4.0: not found]",
        "java.lang.RuntimeException: [download failed: org.slf4j#slf4j-api;2.0.13!slf4j-api.jar, download …]",
    ):
        log.write_text(line)
        told = not_fetched(asked(), log)
        assert told is not None
        assert "\n" not in told
        assert re.search(
            r"could not download (io\.delta:delta-spark_4\.2_2\.13:4\.4\.0|org\.slf4j:slf4j-api:2)", told
        )
        assert "lake.engine=delta-rs" in told
    assert not_fetched(_settings("lake.engine=delta-spark"), log) is None, "nothing was to be fetched"


def test_a_submitted_session_can_not_fetch_jars_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    with pytest.raises(UsageError, match="comes too late under spark-submit"):
        with_delta_jars(SparkSession.Builder(), asked())


def test_hadoops_s3_is_told_of_the_server_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://other:1/")
    assert s3a_conf(_settings()) == {}
    found = s3a_conf(
        _settings("lake.root=s3a://b/lake", "s3.endpoint=http://minio:9000", "s3.path_style=false")
    )
    assert found == {
        "spark.hadoop.fs.s3a.endpoint": "http://minio:9000",
        "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
        "spark.hadoop.fs.s3a.path.style.access": False,
    }
    assert s3a_conf(_settings("raw.path=s3a://b/raw"))["spark.hadoop.fs.s3a.endpoint"] == "http://other:1"
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    amazon = s3a_conf(_settings("raw.path=s3a://b/raw", "s3.region=eu-west-1"))
    assert amazon == {"spark.hadoop.fs.s3a.endpoint.region": "eu-west-1"}
