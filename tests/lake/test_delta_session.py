"""What a session is told when the engine is delta-spark; no session is started for it."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.spark import session

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


def test_jars_are_fetched_only_if_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    wanted = ["lake.engine=delta-spark", "spark.conf.spark.jars.packages=org.example:other:1"]
    provided = session._with_delta_jars(SparkSession.Builder(), _settings(*wanted))
    assert "spark.jars.packages" not in provided._options
    fetched = session._with_delta_jars(SparkSession.Builder(), _settings(*wanted, "lake.delta_jars=download"))
    packages = fetched._options["spark.jars.packages"].split(",")
    assert [name.rpartition(":")[0] for name in packages] == [
        "io.delta:delta-spark_4.2_2.13",
        "org.example:other",
    ]


def test_a_submitted_session_can_not_fetch_jars_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    settings = _settings("lake.engine=delta-spark", "lake.delta_jars=download")
    with pytest.raises(UsageError, match="comes too late under spark-submit"):
        session._with_delta_jars(SparkSession.Builder(), settings)
