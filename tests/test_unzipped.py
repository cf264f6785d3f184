"""Which entries of `sys.path` jobs and daemons of workers do without."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.spark.unzipped import prefer_files


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of packages with PySpark in it, as pip installs it."""
    package = tmp_path / "site-packages" / "pyspark"
    (package / "python" / "lib").mkdir(parents=True)
    (package / "__init__.py").touch()
    for name in ("pyspark.zip", "py4j-0.10.9.9-src.zip"):
        (package / "python" / "lib" / name).touch()
    return package.parent


def left_of(*entries: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(sys, "path", list(entries))
    prefer_files()
    return sys.path


def test_the_archive_of_a_package_that_is_there_is_left_out(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lib = site / "pyspark" / "python" / "lib"
    archive, py4j = str(lib / "pyspark.zip"), str(lib / "py4j-0.10.9.9-src.zip")
    assert left_of("", archive, py4j, str(site), monkeypatch=monkeypatch) == ["", py4j, str(site)]
    link = tmp_path / "link"
    link.symlink_to(site)
    assert left_of(archive, str(link), monkeypatch=monkeypatch) == [str(link)]


def test_a_spark_of_another_place_brings_its_own(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = str(site / "pyspark" / "python" / "lib" / "pyspark.zip")
    assert left_of(inside, monkeypatch=monkeypatch) == [inside]  # the package can't be imported
    elsewhere = tmp_path / "spark-4.2.0" / "python" / "lib" / "pyspark.zip"
    assert left_of(str(elsewhere), str(site), monkeypatch=monkeypatch) == [str(elsewhere), str(site)]
    (site / "pyspark" / "__init__.py").unlink()
    assert left_of(inside, str(site), monkeypatch=monkeypatch) == [inside, str(site)]


def test_a_job_does_without_the_archive_that_spark_submit_puts_first(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def work(_: argparse.Namespace, __: Settings) -> int:
        seen.extend(sys.path)
        return 0

    archive = str(site / "pyspark" / "python" / "lib" / "pyspark.zip")
    monkeypatch.setattr(sys, "path", [archive, str(site), *sys.path])
    assert cli.run(cli.job_parser("features", "Nothing."), [], work) == 0
    assert str(site) in seen
    assert archive not in seen
