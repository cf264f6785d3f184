"""MLflow's empty store: kept once, copied for each new file, never over one that is there."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pozytywka_spark.config import Settings
from pozytywka_spark.tracking import ready_store, registry, runs
from pozytywka_spark.tracking.store import Tracking, connect
from tests.ready_stores import make

pytestmark = pytest.mark.thorough  # MLflow makes a store, in a second


def rows(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, with the tables' definitions."""
    with closing(sqlite3.connect(file)) as store:
        tables = store.execute("SELECT name, sql FROM sqlite_master ORDER BY name, sql").fetchall()
        found = {f"{name}: {sql}": [] for name, sql in tables if sql}
        for name, sql in tables:
            if sql and sql.lstrip().upper().startswith("CREATE TABLE"):
                found[f"{name}: {sql}"] = store.execute(f'SELECT * FROM "{name}"').fetchall()
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment that has kept none."""
    monkeypatch.setattr(ready_store, "_FOLDER", tmp_path / "kept")
    return tmp_path / "kept"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store as MLflow makes it."""
    file = tmp_path_factory.mktemp("made") / "mlflow.db"
    make(file)
    return file


def test_a_copy_is_what_mlflow_makes_but_for_its_own_experiment(
    folder: Path, made: Path, tmp_path: Path
) -> None:
    ready_store.keep(made)
    ready_store.copy_kept(tmp_path / "new.db")
    expected, copied = rows(made), rows(tmp_path / "new.db")
    assert copied.keys() == expected.keys()
    differing = [name for name, values in expected.items() if copied[name] != values]
    assert [name.partition(":")[0] for name in differing] == ["experiments"]
    assert copied[differing[0]] == []
    make(tmp_path / "new.db")  # MLflow opens it, and makes the experiment anew
    [[number, name, *_]] = rows(tmp_path / "new.db")[differing[0]]
    assert (number, name) == (0, "Default")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "new.db"]
    assert [path.suffix for path in folder.iterdir()] == [".db"]


def test_a_store_that_is_there_is_never_copied_over(folder: Path, made: Path, tmp_path: Path) -> None:
    ready_store.keep(made)
    (tmp_path / "mine.db").write_bytes(b"")
    ready_store.copy_kept(tmp_path / "mine.db")
    assert (tmp_path / "mine.db").read_bytes() == b""


def test_a_store_in_use_is_not_kept(folder: Path, made: Path, settings: Settings) -> None:
    ready_store.keep(made)
    tracking = connect(settings)
    [kept] = folder.iterdir()
    kept.unlink()
    with runs.run(tracking, "somebody's", tags={}):
        pass
    ready_store.keep(Path(settings.home) / "mlflow.db")
    assert [*folder.iterdir()] == []


def test_of_other_versions_none_is_copied_and_none_is_left(
    folder: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready_store.keep(made)
    monkeypatch.setattr(ready_store, "version", lambda _: "99.0")
    ready_store.copy_kept(tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()
    ready_store.keep(made)
    assert [path.name for path in folder.iterdir()] == ["99.0.db"]


def test_where_nothing_can_be_kept_mlflow_makes_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(ready_store, "_FOLDER", tmp_path / "file" / "kept")
    ready_store.keep(tmp_path / "absent.db")
    monkeypatch.setattr(ready_store, "copy_kept", lambda _: None)
    tracking: Tracking = connect(settings)
    assert registry.aliased(tracking, registry.CHAMPION) is None


def test_the_first_connection_keeps_the_store_and_the_next_copies_it(
    folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow.store.db.utils as of_mlflow

    connect(settings)
    assert len([*folder.iterdir()]) == 1

    def refuse(_: object) -> None:
        raise AssertionError("migrated again")

    monkeypatch.setattr(of_mlflow, "_initialize_tables", refuse)
    uri = f"sqlite:///{settings.home}/second.db"
    second = settings.model_copy(update={"mlflow": settings.mlflow.model_copy(update={"tracking_uri": uri})})
    assert connect(second).experiment_id
