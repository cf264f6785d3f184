"""Staging folders on local or mounted file systems: whose writer is dead, and their end."""

from __future__ import annotations

import time

from pozytywka_spark.lake import files

FOLDER = "_staging"
LIVE_WRITER_HOURS = 24.0  # nothing younger is taken for a dead writer's


def sweep(path: str, older_than_hours: float = LIVE_WRITER_HOURS) -> int:
    """Delete what dead writers left in staging; their number.

    Dead means both: nothing in the folder changed for that long, and nobody holds its lock (the
    system frees a dead process's lock; the age covers file systems that don't pass locks on).
    """
    swept = 0
    for name in files.folders(f"{path}/{FOLDER}"):
        folder = f"{path}/{FOLDER}/{name}"
        if files.newest_change(folder) > time.time() - older_than_hours * 3600:
            continue
        with files.held(f"{folder}/writer.lock") as free:
            if free:
                files.delete(folder)
                swept += 1
    return swept
