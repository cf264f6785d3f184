"""PySpark as jobs and daemons of workers import it: the package's files instead of the archive of the same.

Spark puts the archive first, for a driver of spark-submit as for workers. Out of it Python reads source and
compiles it anew at every start, half a second of what the first task waits for; of files it keeps what it has
compiled.
"""

from __future__ import annotations

import sys
from pathlib import Path

_ARCHIVE = ("python", "lib", "pyspark.zip")  # in the package pyspark, as pip installs it


def prefer_files() -> None:
    """Leave the archive out of `sys.path` where the package that it lies in can be imported itself."""
    folders = {Path(entry).resolve() for entry in sys.path}
    sys.path[:] = [entry for entry in sys.path if not _is_spare(Path(entry), folders)]


def _is_spare(entry: Path, folders: set[Path]) -> bool:
    if entry.parts[-len(_ARCHIVE) :] != _ARCHIVE:
        return False
    package = entry.resolve().parents[len(_ARCHIVE) - 1]
    return package.name == "pyspark" and (package / "__init__.py").is_file() and package.parent in folders
