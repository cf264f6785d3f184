"""Staging folders: whose writer is dead, and their end."""

from __future__ import annotations

import time

from pyarrow import fs

from pozytywka_spark.lake.storage import local_files
from pozytywka_spark.lake.storage.filesystem import Storage

FOLDER = "_staging"
LIVE_WRITER_HOURS = 24.0  # nothing younger is taken for a dead writer's


def sweep(path: str, older_than_hours: float = LIVE_WRITER_HOURS) -> int:
    """Delete what dead writers left in staging; their number.

    Dead means both: nothing in the folder changed for that long, and nobody holds its lock (the
    system frees a dead process's lock; the age covers file systems that don't pass locks on).
    """
    swept = 0
    for name in local_files.folders(f"{path}/{FOLDER}"):
        folder = f"{path}/{FOLDER}/{name}"
        if local_files.newest_change(folder) > time.time() - older_than_hours * 3600:
            continue
        with local_files.file_lock(f"{folder}/writer.lock") as free:
            if free:
                local_files.delete(folder)
                swept += 1
    return swept


def sweep_objects(storage: Storage, root: str) -> None:
    """Delete staging folders of object stores to which nothing was added for as long as a writer may live."""
    store, name = storage.at(f"{root}/{FOLDER}")
    newest: dict[str, float] = {}
    selector = fs.FileSelector(name, recursive=True, allow_not_found=True)
    for info in store.get_file_info(selector):
        if info.type == fs.FileType.File:
            folder = info.path.removeprefix(f"{name}/").partition("/")[0]
            newest[folder] = max(newest.get(folder, 0.0), (info.mtime_ns or 0) / 1e9)
    for folder, changed in newest.items():
        if changed < time.time() - LIVE_WRITER_HOURS * 3600:
            delete_objects(storage, f"{root}/{FOLDER}/{folder}")


def delete_objects(storage: Storage, folder: str) -> None:
    """Delete a folder of an object store; absent is fine."""
    store, name = storage.at(folder)
    try:
        store.delete_dir(name)
    except FileNotFoundError:
        return
