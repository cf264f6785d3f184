"""The files of `feedback`, of which no older version is kept, and of `name_words`."""

from __future__ import annotations

from collections.abc import Sequence

from pozytywka_spark.config import Settings
from pozytywka_spark.ingest.masking.name_words import KnownNames
from pozytywka_spark.ingest.masking.salt import salt_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.schemas import FEEDBACK, NAME_WORDS

BODY = tuple(name for name in FEEDBACK.columns if name not in FEEDBACK.partition_by)


def files_of(lake: Lake, tasks: Tasks, table: str) -> tuple[DataFile, ...]:
    """The files of a table's latest version; none if there is no table."""
    if not lake.exists(table):
        return ()
    return tuple(file for shard in lake.shards(table, tasks) for file in shard.files)


def known_names(lake: Lake, tasks: Tasks, settings: Settings) -> KnownNames:
    """What the lake knows of users' names. Raises `UsageError` if the salt can't be had."""
    return KnownNames(salt_of(settings, lake), files_of(lake, tasks, NAME_WORDS.name))


def put_in_place(lake: Lake, files: Sequence[DataFile], done: Done) -> None:
    """Commit the rows of files of `feedback` that tasks have written anew, and delete the old ones.

    `done`: facts of each file, its `path` and whether it `changed`. Whoever reads an older version meanwhile
    finds its files gone: it had texts, or names in texts, that nobody may have any more.
    """
    changed = {facts["path"] for facts in done.results if facts["changed"]}
    if changed:
        lake.rewrite(FEEDBACK, [file for file in files if file.path in changed], list(done.written))
    if files:  # also what an attempt that was cut short has left
        lake.vacuum(FEEDBACK.name, retention_hours=0)


def named(file: DataFile) -> str:
    """A file of `feedback` in words."""
    return f"feedback, {file.path}"
