"""What goes wrong around MLflow: nothing half-registered, nothing lost, one line that says what to do."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import TrackingError
from pozytywka_spark.tracking import registry
from pozytywka_spark.tracking.store import Tracking, connect
from pozytywka_spark.training import stage
from pozytywka_spark.training.stage import train
from tests.running import JOBS
from tests.worlds.trained import Trained, prepared_of


def copied_store(trained: Trained, folder: Path) -> Path:
    """The trained store under `folder`: making a new one takes MLflow seconds of migrations."""
    store = folder / "mlflow.db"
    theirs = Path(trained.settings.home) / "mlflow.db"
    with closing(sqlite3.connect(theirs)) as source, closing(sqlite3.connect(store)) as target:
        source.backup(target)
    return store


def with_store(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update={"mlflow": settings.mlflow.model_copy(update=changes)})


def test_an_artefact_store_that_can_not_be_written_is_told_before_the_work(
    trained: Trained, spark: SparkSession, tmp_path: Path
) -> None:
    (tmp_path / "read-only").write_text("stands where a folder should be: root may write into any folder")
    settings = with_store(
        trained.settings,
        tracking_uri=f"sqlite:///{copied_store(trained, tmp_path)}",
        experiment="new",
        artifact_root=f"{tmp_path}/read-only/artefacts",
    )
    with pytest.raises(
        TrackingError, match=r"artefacts can't be written under .*set mlflow\.artifact_root"
    ) as told:
        train(spark, settings, trained.lake)
    assert "\n" not in str(told.value)
    assert connect(trained.settings)  # another place is writable, and remembered


def test_a_locked_registry_is_told_and_goes_on_when_it_is_free(
    trained: Trained, spark: SparkSession, tmp_path: Path
) -> None:
    store = copied_store(trained, tmp_path)
    settings = with_store(trained.settings, tracking_uri=f"sqlite:///{store}?timeout=0.2")
    tracking = connect(settings)
    with closing(sqlite3.connect(store)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(TrackingError, match="database is locked") as told:
            registry.set_alias(tracking, registry.CHAMPION, 1)
        assert "\n" not in str(told.value)
        with pytest.raises(TrackingError, match="can't open MLflow at"):
            connect(settings)
        other.rollback()
    registry.set_alias(connect(settings), registry.CHAMPION, 1)


def test_a_run_that_ended_well_but_was_not_registered_is_registered_by_the_next(trained: Trained) -> None:
    tracking: Tracking = replace(connect(trained.settings), model_name="late")
    prepared = prepared_of(trained.settings, trained.lake)
    version = stage._known(tracking, prepared, trained.settings)
    assert version is not None
    logged = registry.find_logged(tracking, prepared.inputs)  # others may have trained on these inputs since
    assert logged is not None
    assert (version.number, version.training_run) == (1, logged[0])
    assert (
        registry.load_version(tracking, 1).predictor
        == registry.load_model(connect(trained.settings)).predictor
    )
    assert stage._known(tracking, prepared, trained.settings) == version  # and only once


def test_a_training_killed_on_the_way_leaves_no_model_and_its_rerun_finishes(
    trained: Trained, spark: SparkSession, tmp_path: Path
) -> None:
    sets = [
        f"home={tmp_path}",
        f"lake.root={trained.lake.root}",
        f"features.drop=[{','.join(trained.settings.features.drop)}]",
        "training.max_trees=20",
        "evaluation.bootstrap=5",
        "mlflow.model_name=killed",
    ]
    store = copied_store(trained, tmp_path)
    before = len(_rows(store, "select * from runs"))
    planned = "select 1 from params where key = 'planner'"
    known = len(_rows(store, planned))
    command = [sys.executable, str(JOBS / "train.py"), *(part for one in sets for part in ("--set", one))]
    environment = {**os.environ, "PYTHONPATH": str(JOBS.parent)}
    victim = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        until = time.monotonic() + 120
        # inputs logged, trees to come
        while len(_rows(store, planned)) == known:
            assert victim.poll() is None, "the training ended before it could be killed"
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:
        os.killpg(victim.pid, signal.SIGKILL)
        victim.wait()
    assert len(_rows(store, "select * from runs")) == before + 1
    assert _rows(store, "select count(*) from runs where status = 'RUNNING'") == [(1,)]
    assert _rows(store, "select * from model_versions where name = 'killed'") == []

    from pozytywka_spark.config import load_settings

    report = train(spark, load_settings("local", sets), trained.lake)
    assert (report.version, report.reused) == (1, False)
    assert _rows(store, "select version from model_versions where name = 'killed'") == [(1,)]
    assert len(_rows(store, "select * from runs")) == before + 5  # it, then a training with its three models
    assert _rows(store, "select count(*) from runs where status = 'RUNNING'") == [(0,)]


def _rows(store: Path, query: str) -> list[tuple[object, ...]]:
    """What the store says."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        return [tuple(row) for row in connection.execute(query)]
