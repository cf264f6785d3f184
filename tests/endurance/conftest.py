"""One delivery, and the end of an undisturbed pipeline over it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import load_settings
from pozytywka_spark.synthetic.world import write_world
from tests.endurance.endured import WORLD, end_state, overrides
from tests.running import run


@pytest.fixture(scope="session")
def raw(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a small world."""
    folder = tmp_path_factory.mktemp("endurance")
    write_world(spark, load_settings("local", [f"home={folder}", *WORLD]), str(folder / "raw"))
    return folder / "raw"


@pytest.fixture(scope="session")
def undisturbed(
    spark: SparkSession, raw: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """The home and the end state of a pipeline that nothing happened to."""
    home = tmp_path_factory.mktemp("undisturbed")
    assert run("pipeline", *overrides(home, raw)) == 0
    state = end_state(spark, *overrides(home, raw))
    assert {"events", "user_month", "features", "labels", "predictions"} <= set(state)
    return home, state
