"""What happened to a table between two of its versions, by the entries of its log: files that came and went.

Every commit counts by itself: a file that one added and the next removed has held rows that somebody may have
read. A commit that only rearranges (compaction) changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from pozytywka_spark.lake.shards import DataFile


@dataclass(frozen=True)
class Changes:
    """Rows that may differ between two versions lie in `files`, or in rows like theirs.

    `files` holds what was added and what was removed, with the rows that stayed beside them: whoever wants to
    know of a key what it is now looks it up anew. `gone`: why it can't be known what changed, in words;
    everything may have then.
    """

    since: int
    until: int
    files: tuple[DataFile, ...] = ()
    gone: str = ""

    @property
    def none(self) -> bool:
        """Whether no row differs."""
        return not self.files and not self.gone


@dataclass(frozen=True)
class LoggedFile:
    """A file that a commit added or removed: its path relative to the table, as on disk.

    `values`: of its partition as the log spells them; None where the entry doesn't say. `size`: in bytes, 0
    where it doesn't.
    """

    path: str
    values: Mapping[str, str | None] | None
    size: int


def entry_name(version: int) -> str:
    """The file of a version's commit, in the table's `_delta_log`."""
    return f"{version:020d}.json"


def logged_files(entries: Iterable[str]) -> list[LoggedFile]:
    """The files that commits (the texts of their entries) added or removed, each once.

    >>> logged_files(['{"add": {"path": "a%20b", "size": 7, "partitionValues": {}, "dataChange": false}}'])
    []
    >>> logged_files(['{"add": {"path": "a%20b", "size": 7, "partitionValues": {}, "dataChange": true}}'])
    [LoggedFile(path='a b', values={}, size=7)]
    """
    found: dict[str, LoggedFile] = {}
    rearranged: dict[str, LoggedFile] = {}  # by compaction; what removes one later needn't say its partition
    for line in (line for entry in entries for line in entry.splitlines() if line.strip()):
        action = json.loads(line)
        file = action.get("add") or action.get("remove")
        if file is None:
            continue
        path = unquote(file["path"])
        said = LoggedFile(path, file.get("partitionValues"), int(file.get("size") or 0))
        if not file.get("dataChange", True):
            if "add" in action:
                rearranged[path] = said
            continue
        before = found.get(path)
        if before is None or before.values is None:
            found[path] = said if said.values is not None else rearranged.get(path, said)
    return list(found.values())


def not_after(table: str, since: int, until: int) -> str:
    """Why nothing is known of what is between a later version and an earlier one."""
    return f"table {table} is at version {until}, before version {since}: it was made anew"


def not_there(table: str, since: int, reason: str) -> str:
    """Why nothing is known of what happened after a version."""
    return f"of table {table} it can't be known what changed since version {since}: {reason}"


def differing(before: Mapping[str, str], now: Mapping[str, str]) -> Sequence[str]:
    """Columns of both that are of another type now."""
    return [name for name in before.keys() & now.keys() if before[name] != now[name]]
