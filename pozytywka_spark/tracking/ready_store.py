"""MLflow's empty store, kept as its migrations left it: a new SQLite file is a copy of it.

MLflow lays the tables of a new file by dozens of migrations, which take more than a second of a core. The
first file that it makes in an environment is kept there for its version of MLflow, without an experiment.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

_FOLDER = Path(sys.prefix) / "mlflow-stores"
_FILLED = {"alembic_version", "workspaces"}  # what tables of an empty store have rows


def copy_kept(path: Path) -> None:
    """Make the file from the store that is kept, if there is one; a file that is there is left as it is."""
    kept = _kept()
    if path.exists() or not kept.is_file():
        return
    with suppress(OSError), _unfinished(path) as copy:  # MLflow makes it where this can't
        shutil.copyfile(kept, copy)
        os.link(copy, path)  # all at once, and never over what another process made meanwhile


def keep(path: Path) -> None:
    """Keep a store that MLflow has just made; not one that someone has used already."""
    kept = _kept()
    if kept.exists():
        return
    with suppress(OSError, sqlite3.Error):  # an environment that can't be written keeps none
        kept.parent.mkdir(exist_ok=True)
        with _unfinished(kept) as copy:
            if _emptied(path, copy):
                for other in kept.parent.glob("*.db"):
                    other.unlink(missing_ok=True)
                copy.replace(kept)


def _kept() -> Path:
    return _FOLDER / f"{version('mlflow')}.db"


def _emptied(path: Path, copy: Path) -> bool:
    """Copy it without MLflow's default experiment, which names a folder; whether nothing else is in it."""
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("DELETE FROM experiments WHERE experiment_id = 0")
        target.commit()
        target.execute("VACUUM")
        tables = {name for (name,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return not any(
            target.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone()  # noqa: S608 its own tables
            for table in tables - _FILLED
        )


@contextmanager
def _unfinished(path: Path) -> Iterator[Path]:
    """A place beside it for a file, which is gone afterwards."""
    place = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        yield place
    finally:
        place.unlink(missing_ok=True)
