"""MLflow stores whose tables are there: it lays those of a new SQLite file by dozens of migrations.

They take seconds for each of the suite's many homes. Here one file is made so for all workers of a run, and
the others are copied from it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pozytywka_spark.tracking import store


@pytest.fixture(scope="session", autouse=True)
def ready_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fill each SQLite file that a connection makes with the tables of one that MLflow made."""
    real, pattern = store._try_file, of_all_workers(tmp_path_factory) / "mlflow.db"

    def try_file(path: Path, patience: float) -> None:
        real(path, patience)
        if path.stat().st_size == 0:
            make_once(pattern)
            shutil.copyfile(pattern, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "_try_file", try_file)
        yield


def of_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This run's temporary folder: that of pytest, above those of its workers where there are any."""
    mine = tmp_path_factory.getbasetemp()
    return mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine


def make_once(pattern: Path) -> None:
    """Make the store unless another worker has; who comes meanwhile waits."""
    with pattern.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not pattern.exists():
            half = pattern.with_suffix(".half")
            _make(half)
            half.rename(pattern)


def _make(pattern: Path) -> None:
    import mlflow  # here, not above: it takes seconds, and most tests need no store

    store._quiet()
    mlflow.MlflowClient(f"sqlite:///{pattern}", f"sqlite:///{pattern}").search_registered_models()
