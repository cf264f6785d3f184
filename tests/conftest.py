"""One Spark session for all tests, small and quiet; a lake and settings in a temporary folder each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.session import build_session

pytest_plugins = ("trained",)  # fixtures that several rooms share

PROJECT = Path(__file__).resolve().parent.parent
DELIVERIES = PROJECT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """Two slots, few partitions, C1 only: test data is tiny, so start-up and planning are all the cost."""
    home = tmp_path_factory.mktemp("spark")
    settings = load_settings(
        "local",
        [
            f"home={home}",
            "spark.master=local[2]",
            "spark.driver_memory=2g",
            "spark.shuffle_partitions=2",
            f"spark.conf.spark.sql.warehouse.dir={home / 'warehouse'}",
        ],
    )
    session = build_session(settings, "tests")
    yield session
    session.stop()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Local settings with everything under the test's own folder."""
    return load_settings("local", [f"home={tmp_path}", "spark.master=local[2]", "spark.shuffle_partitions=2"])


@pytest.fixture(scope="session")
def sample() -> Path:
    """A real, clean delivery; tests that need it are skipped where it isn't."""
    return _delivery("sample")


@pytest.fixture(scope="session")
def dirty() -> Path:
    """A real, dirty and partial delivery."""
    return _delivery("dirty")


def _delivery(name: str) -> Path:
    folder = DELIVERIES / name
    if not folder.is_dir():
        pytest.skip(f"the real delivery {folder} is not on this machine")
    return folder
