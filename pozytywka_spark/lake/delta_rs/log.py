"""Delta's log through `deltalake`: snapshots, active files, and one commit path for every write."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake import partitions
from pozytywka_spark.lake.api import Commit, Txn
from pozytywka_spark.lake.storage import local_files

OPERATION = "pozytywka.operation"
_WRITER = "pozytywka.writer"
_TRIES = 30
# A model names the versions it was trained on: their log must outlive Delta's default of 30 days.
CONFIGURATION = {"delta.logRetentionDuration": "interval 3650 days"}


@dataclass(frozen=True)
class ActiveFile:
    """A data file of a snapshot; `path` is relative to the table, as on disk, `logged` as in its log."""

    path: str
    logged: str
    size: int
    records: int | None
    partition: partitions.Rendered
    values: Mapping[str, Any]  # partition values, typed
    lows: Mapping[str, Any]
    highs: Mapping[str, Any]

    def may_hold(self, column: str, low: Any, high: Any) -> bool:
        """False only if no row of the file can have `column` within [low, high]."""
        if column in self.values:
            value = self.values[column]
            return value is not None and bool(low <= value <= high)
        least, most = self.lows.get(column), self.highs.get(column)
        return least is None or most is None or bool(least <= high and low <= most)


class Moved(Exception):  # noqa: N818 a turn of events, not an error: caught where it is expected
    """The table changed so that what was prepared no longer fits; its writer must start over or give up."""


Removes = Callable[[DeltaTable], Sequence[ActiveFile]]


def _no_files(_: DeltaTable) -> Sequence[ActiveFile]:
    return ()


@dataclass(frozen=True)
class Change:
    """What one commit does. `removes` and `check` see the very snapshot that the commit builds on."""

    name: str
    operation: str
    adds: Sequence[AddAction]
    schema: Schema
    partition_by: Sequence[str]
    removes: Removes = _no_files
    check: Callable[[DeltaTable], None] | None = None
    txn: Txn | None = None
    replaces_schema: bool = False
    rearranges: bool = False  # the same rows in other files
    options: dict[str, str] | None = None  # of the store that holds the log
    writer: str = field(default_factory=lambda: uuid.uuid4().hex)


def open_table(path: str, options: dict[str, str] | None = None) -> DeltaTable | None:
    """The latest snapshot; None if there is no table. Raises `LakeError` if its log can't be read."""
    try:
        return DeltaTable(path, storage_options=options)
    except TableNotFoundError:
        return None
    except (DeltaError, OSError) as error:  # the latter of a store that doesn't answer
        raise _unreadable(path, error) from error


def is_table(path: str, options: dict[str, str] | None = None) -> bool:
    """Whether there is a table: by a look for its log, which isn't read. Raises as `open_table`."""
    try:
        return DeltaTable.is_deltatable(path, options)
    except (DeltaError, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: Exception) -> LakeError:
    name, reason = path.rpartition("/")[2], str(error).splitlines()[0]
    return LakeError(f"table {name}: lake.engine=delta-rs can't read its log: {reason}")


def active_files(table: DeltaTable) -> list[ActiveFile]:
    """The data files of a snapshot."""
    actions = pa.table(table.get_add_actions()).to_pylist()
    return [
        ActiveFile(
            path=unquote(action["path"]),
            logged=action["path"],
            size=action["size_bytes"],
            records=action["num_records"],
            partition={
                key: partitions.render(value) for key, value in (action.get("partition") or {}).items()
            },
            values=action.get("partition") or {},
            lows=action.get("min") or {},
            highs=action.get("max") or {},
        )
        for action in actions
    ]


def done_before(table: DeltaTable | None, txn: Txn | None) -> bool:
    """Whether the snapshot holds `txn`, or a later version of its application."""
    if table is None or txn is None:
        return False
    last = table.transaction_version(txn.app)
    return last is not None and last >= txn.version


def commit(path: str, change: Change) -> int | None:
    """Commit `change` in one transaction; its version, or None if its txn was done before.

    Each try builds on the latest snapshot and gives way to any commit in between, so the order of
    versions is the order in which things happened; `change.check` may raise `Moved` when the
    snapshot no longer fits. Raises `LakeError` after 30 tries.
    """
    for attempt in range(_TRIES):
        table = open_table(path, change.options)
        if done_before(table, change.txn):
            return None
        if table is not None and change.check is not None:
            change.check(table)
        try:
            with turn(path, change.options):
                return _create(path, change) if table is None else _extend(path, table, change)
        except CommitFailedError:
            # over a network "it is there already" may be the answer to the second sending of our own entry
            version = _version_of(path, change) if change.options else None
            if version is not None:
                return version
            time.sleep(random.uniform(0.01, 0.05) * min(attempt + 1, 10))  # noqa: S311 spreads the writers out
        except DeltaError:
            # a table that another writer made meanwhile, or a failure after the commit (its checkpoint)
            version = _version_of(path, change)
            if version is not None:
                return version
            if table is not None or open_table(path, change.options) is None:
                raise
    raise LakeError(
        f"table {change.name}: {change.operation} lost {_TRIES} races against other writers; "
        "run it again when they are done"
    )


def turn(path: str, options: dict[str, str] | None) -> AbstractContextManager[None]:
    """Not while the other engine commits to a local table; stores keep two writers apart by themselves."""
    return local_files.turn(path, alone=False) if options is None else nullcontext()


def add_columns(table: DeltaTable, name: str, columns: Schema) -> int:
    """Add columns, null in every row there is; the new version. Raises `LakeError` if another writer was
    faster with the same."""
    try:
        table.alter.add_columns(list(columns.fields), commit_properties=CommitProperties(
            custom_metadata={OPERATION: "ADD COLUMNS"}))  # fmt: skip
    except DeltaError as error:
        raise LakeError(f"table {name}: ADD COLUMNS failed: {error}; run it again") from error
    return table.version()


def _check_removable(name: str, files: Sequence[ActiveFile]) -> None:
    """Raise `LakeError` for a file that would stay: Delta's JVM classes log letters such as ł as they are,
    `deltalake` encodes them in what it removes, and every reader compares the two as texts."""
    for file in files:
        if not file.logged.isascii():
            raise LakeError(
                f"table {name}: lake.engine=delta-rs can't remove {file.path.rpartition('/')[0]}, which the "
                "other engine wrote: of its letters some are not ASCII; use lake.engine=delta-spark"
            )


def _create(path: str, change: Change) -> int:
    create_table_with_add_actions(
        path,
        change.schema,
        list(change.adds),
        mode="error",
        partition_by=list(change.partition_by),
        configuration=CONFIGURATION,
        storage_options=change.options,
        commit_properties=_properties(change),
    )
    return 0


def _extend(path: str, table: DeltaTable, change: Change) -> int:
    version = table.version()
    if change.replaces_schema:
        create_table_with_add_actions(
            path,
            change.schema,
            list(change.adds),
            mode="overwrite",
            partition_by=list(change.partition_by),
            configuration=table.metadata().configuration,
            storage_options=change.options,
            commit_properties=_properties(change),
        )
        version = (_version_of(path, change) or 0) - 1  # it looked up the latest version by itself
    else:
        now = int(time.time() * 1000)
        gone = change.removes(table)
        _check_removable(change.name, gone)
        removes = [RemoveAction(f.path, not change.rearranges, now, f.size) for f in gone]
        table.create_write_transaction(
            [*removes, *(replace(add, data_change=not change.rearranges) for add in change.adds)],
            "append",
            table.schema(),
            list(change.partition_by),
            commit_properties=_properties(change),
        )
    return version + 1


def _properties(change: Change) -> CommitProperties:
    return CommitProperties(
        custom_metadata={OPERATION: change.operation, _WRITER: change.writer},
        max_commit_retries=0,  # the retry is ours: it recomputes what the commit removes
        app_transactions=[Transaction(change.txn.app, change.txn.version)] if change.txn else None,
    )


def _version_of(path: str, change: Change) -> int | None:
    """The version that `change` got; not through `open_table`, whose `LakeError` says: nobody committed."""
    try:
        entries: list[dict[str, Any]] = DeltaTable(path, storage_options=change.options).history(100)
    except TableNotFoundError:
        return None
    return next((entry["version"] for entry in entries if entry.get(_WRITER) == change.writer), None)


def commit_time(entry: dict[str, Any]) -> datetime:
    """When a commit of the history was made, in UTC."""
    return datetime.fromtimestamp(entry["timestamp"] / 1000, UTC)


def as_commit(entry: dict[str, Any]) -> Commit:
    """An entry of the history for people: our own name of the operation where we made it."""
    operation = str(entry.get(OPERATION) or entry.get("operation") or "unknown")
    metadata = {
        key: str(value) for key, value in entry.items() if key not in ("version", "timestamp", "operation")
    }
    return Commit(int(entry["version"]), commit_time(entry), operation, metadata)
