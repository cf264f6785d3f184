"""MLflow stores whose tables are there: it lays those of a new SQLite file by dozens of migrations.

They take seconds for each of the suite's many homes. Here one file a process is made so, the others copied.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pozytywka_spark.tracking import store


@pytest.fixture(scope="session", autouse=True)
def ready_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fill each SQLite file that a connection makes with the tables of one that MLflow made."""
    real, pattern = store._try_file, tmp_path_factory.mktemp("store") / "mlflow.db"

    def try_file(path: Path, patience: float) -> None:
        real(path, patience)
        if path.stat().st_size == 0:
            if not pattern.exists():
                _make(pattern)
            shutil.copyfile(pattern, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "_try_file", try_file)
        yield


def _make(pattern: Path) -> None:
    import mlflow  # here, not above: it takes seconds, and most tests need no store

    store._quiet()
    mlflow.MlflowClient(f"sqlite:///{pattern}", f"sqlite:///{pattern}").search_registered_models()
