"""MLflow stores whose tables are there: it lays those of a new SQLite file by dozens of migrations.

They take seconds for each of the suite's many homes. Here one file is made so for all workers of a run, and
the others are copied from it, as they are in an environment.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pozytywka_spark.tracking import ready_store, store


@pytest.fixture(scope="session", autouse=True)
def ready_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep one store for the run, outside of the environment, and have it made before it is asked for."""
    real, folder = ready_store.copy_kept, of_all_workers(tmp_path_factory) / "mlflow-stores"

    def copy_kept(path: Path) -> None:
        if folder == ready_store._FOLDER:  # a test may have a folder of its own
            make_once(folder)
        real(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ready_store, "_FOLDER", folder)
        patch.setattr(ready_store, "copy_kept", copy_kept)
        yield


def of_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This run's temporary folder: that of pytest, above those of its workers where there are any."""
    mine = tmp_path_factory.getbasetemp()
    return mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine


def make_once(folder: Path) -> None:
    """Make the store unless another worker has; who comes meanwhile waits."""
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not [*folder.glob("*.db")]:
            made = folder / "made"
            make(made)
            ready_store.keep(made)


def make(file: Path) -> None:
    """A store by MLflow alone."""
    import mlflow  # here, not above: it takes seconds, and most tests need no store

    store._quiet()
    mlflow.MlflowClient(f"sqlite:///{file}", f"sqlite:///{file}").search_experiments()
