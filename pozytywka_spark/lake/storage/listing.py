"""List a folder without Spark: a local one, or one on S3."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pyarrow import fs

from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.storage import s3
from pozytywka_spark.lake.storage.listed_file import ListedFile, is_hidden, naive_time


def list_local(root: str) -> list[ListedFile] | None:
    """All files with something in them below a local folder, links followed; None if there is no folder.

    A root that is a file comes back alone, as empty. Raises `OSError` for what can't be looked at, and
    `DataError` for a name that isn't text.
    """
    if not Path(root).exists():
        return None
    if not Path(root).is_dir():
        return [ListedFile(root, 0, naive_time(0))]
    files = [_local_file(path) for path in _walk(root, frozenset())]
    return [file for file in files if file is not None and file.size]


def _local_file(path: str) -> ListedFile | None:
    try:
        status = Path(path).stat()
    except FileNotFoundError:  # gone meanwhile, or a link to nothing
        return None
    # to the millisecond, as Spark tells times: so it stands in the books of older ingests
    return ListedFile(path, status.st_size, naive_time(status.st_mtime_ns // 1_000_000 * 1000))


def _walk(folder: str, above: frozenset[str]) -> Iterator[str]:
    """Files below a folder but for hidden ones; a link that leads back to a folder above is not followed."""
    real = os.path.realpath(folder)
    if real in above:
        return
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if is_hidden(entry.name):
                continue
            if not _is_text(entry.name):
                raise DataError(f"{folder}: a file's name is not UTF-8: {entry.name!r}; rename it")
            if entry.is_dir():
                yield from _walk(entry.path, above | {real})
            else:
                yield entry.path


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def list_objects(root: str, endpoint: s3.Endpoint) -> list[ListedFile] | None:
    """All objects with something in them below `root`, but for hidden ones; None if there is nothing.

    Raises `OSError` if the store doesn't answer.
    """
    below = s3.key(root).rstrip("/") + "/"
    try:
        infos = s3.filesystem(endpoint).get_file_info(fs.FileSelector(below, recursive=True))
    except FileNotFoundError:
        return None
    return [
        ListedFile(f"s3://{info.path}", info.size, naive_time(info.mtime_ns // 1000))
        for info in infos
        if info.type == fs.FileType.File and info.size and not is_hidden(info.path.removeprefix(below))
    ]
