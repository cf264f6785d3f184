"""Java's archive of Spark's classes: whose it is, when it is used, and that a broken one never is."""

import os
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.spark.jvm_archive import archive_path, make_archive, with_archive, without_archive

OPTIONS = "-XX:TieredStopAtLevel=1 -Dkey=value"
# A Spark whose spark-submit does what Java would: writes the archive, then reads it through
SUBMIT = """#!/usr/bin/env bash
while [ $# -gt 0 ]; do [ "$1" = --driver-java-options ] && options=$2; shift; done
writes='ArchiveClassesAtExit=([^"]+)'
if [[ "$options" =~ $writes ]]; then echo classes > "${BASH_REMATCH[1]}"; exit WRITES; fi
exit READS
"""


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with a Java and a Spark of its own, which have made no archive."""
    for file in ("java/bin/java", "spark/jars/spark-core.jar"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "a venv"))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "java"))
    monkeypatch.setenv("SPARK_HOME", str(tmp_path / "spark"))
    return tmp_path


def spark_that(environment: Path, *, writes: int = 0, reads: int = 0) -> None:
    """Let its spark-submit end with these codes."""
    submit = environment / "spark" / "bin" / "spark-submit"
    submit.parent.mkdir(exist_ok=True)
    submit.write_text(SUBMIT.replace("WRITES", str(writes)).replace("READS", str(reads)))
    submit.chmod(0o755)


def test_an_archive_is_made_once_and_then_used(environment: Path) -> None:
    spark_that(environment)
    made = make_archive(environment / "log")
    assert made == archive_path()
    assert made.read_text() == "classes\n"
    written = made.stat().st_mtime_ns
    assert make_archive(environment / "log") == made
    assert made.stat().st_mtime_ns == written
    assert with_archive(OPTIONS) == f'"-XX:SharedArchiveFile={made}" -Xlog:cds*=off {OPTIONS}'
    assert without_archive(with_archive(OPTIONS)) == OPTIONS


def test_another_java_or_other_jars_have_another_archive_and_leave_no_old_one(environment: Path) -> None:
    spark_that(environment)
    paths = [make_archive(environment / "log")]
    for changed in ("java/bin/java", "spark/jars"):
        os.utime(environment / changed, ns=(1, 1))
        assert with_archive(OPTIONS) == OPTIONS, f"another {changed}: its classes may differ"
        paths.append(make_archive(environment / "log"))
        assert list((environment / "a venv" / "java-classes").iterdir()) == paths[-1:]
    assert len(set(paths)) == 3


@pytest.mark.parametrize("codes", [{"writes": 1}, {"reads": 134}], ids=["not written", "cut short"])
def test_what_java_cannot_read_through_is_not_kept(environment: Path, codes: dict[str, int]) -> None:
    spark_that(environment, **codes)
    assert make_archive(environment / "log") is None
    assert list((environment / "a venv" / "java-classes").iterdir()) == []
    assert with_archive(OPTIONS) == OPTIONS


@pytest.mark.parametrize(
    "own", ["-XX:SharedArchiveFile=/mine.jsa", "-XX:ArchiveClassesAtExit=/mine.jsa", "-Xshare:off"]
)
def test_a_users_own_archive_stays(environment: Path, own: str) -> None:
    spark_that(environment)
    assert make_archive(environment / "log") is not None
    assert with_archive(own) == own


def test_without_a_java_there_is_none(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(environment / "nowhere"))
    assert archive_path() is None
    assert make_archive(environment / "log") is None
    assert with_archive(OPTIONS) == OPTIONS


def test_a_session_takes_its_classes_from_the_archive(spark: SparkSession) -> None:
    path = archive_path()
    if path is None or not path.is_file():
        pytest.skip("this Java made no archive at set-up")
    memory = Path(f"/proc/{spark._jvm.java.lang.ProcessHandle.current().pid()}/maps")
    if not memory.is_file():
        pytest.skip("only Linux shows what a process has mapped into its memory")
    assert str(path.resolve()) in memory.read_text()
