"""Sessions that somebody else has started: used as they are, unless results would be wrong in them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.spark import session as sessions
from pozytywka_spark.spark.foreign import is_foreign, use_session

RIGHT = {
    "spark.app.name": "PySparkShell",
    "spark.sql.session.timeZone": "Etc/UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.driver.memory": "1g",
    "spark.master": "yarn",
    "spark.sql.shuffle.partitions": "17",
}


class Conf(dict[str, str]):
    """As a session's: it may be read, and nothing may be set."""

    def set(self, key: str, value: str) -> None:
        raise AssertionError(f"{key} is its owner's")


def session(version: str = "4.2.0", **changed: str) -> SparkSession:
    conf = Conf(RIGHT | {key.replace("_", "."): value for key, value in changed.items()})
    return cast("SparkSession", SimpleNamespace(version=version, conf=conf))


@pytest.fixture
def plain() -> Settings:
    return Settings.model_validate(
        {"env": "local", "home": "h", "lake": {"root": "l"}, "mlflow": {"tracking_uri": "u"}}
    )


def test_a_notebooks_session_is_used_and_left_as_it_is(plain: Settings) -> None:
    theirs = session()
    assert is_foreign(theirs)
    assert use_session(theirs, plain) is theirs


def test_so_does_the_one_builder(plain: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = session()
    monkeypatch.setattr(sessions, "running_session", lambda: theirs)
    assert sessions.build_session(plain, "library") is theirs


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("spark.sql.session.timeZone", "Europe/Warsaw"),
        ("spark.sql.ansi.enabled", "false"),
        ("spark.sql.timestampType", "TIMESTAMP_NTZ"),
        ("spark.sql.caseSensitive", "true"),
    ],
)
def test_one_with_other_results_is_refused_with_the_way_out(plain: Settings, key: str, value: str) -> None:
    theirs = session()
    cast("Conf", theirs.conf)[key] = value
    with pytest.raises(UsageError, match=rf'{key}={value}.*run spark.conf.set\("{key}", '):
        use_session(theirs, plain)


def test_an_old_one_is_refused(plain: Settings) -> None:
    with pytest.raises(UsageError, match=r"version 3.5.1: 4.0 or newer"):
        use_session(session("3.5.1"), plain)


def test_what_is_asked_by_name_must_be_there() -> None:
    asked = load_settings("local", ["spark.conf.spark.task.cpus=2"])
    with pytest.raises(UsageError, match=r"has spark.* the settings ask for .* in spark.conf"):
        use_session(session(), asked)


def test_our_own_is_ours(spark: SparkSession) -> None:
    assert not is_foreign(spark)
