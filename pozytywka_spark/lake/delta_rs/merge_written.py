"""Upsert of rows that are files, or few rows of this process: tasks find and rewrite the files they touch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.transaction import AddAction

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake import types
from pozytywka_spark.lake.api import Txn
from pozytywka_spark.lake.delta_rs import growth, log, merge, merge_tasks, written
from pozytywka_spark.lake.delta_rs.file_store import Store, commit_files, discard
from pozytywka_spark.lake.delta_rs.latest import latest_table
from pozytywka_spark.lake.shard_list import data_files
from pozytywka_spark.lake.shards import DataFile, Written
from pozytywka_spark.lake.table_files import readable
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.schemas import Table


@dataclass(frozen=True)
class Upsert:
    """What is asked, and where."""

    table: Table
    keys: tuple[str, ...]
    store: Store
    path: str
    tasks: Tasks
    txn: Txn | None

    def run(self, rows: pa.Table | Sequence[Written]) -> int | None:
        """Update the rows whose keys match, insert the others; null equals null. See `merge.upsert`."""
        if log.done_before(latest_table(self.path, self.store.options), self.txn):
            return None
        ours = isinstance(rows, pa.Table)
        new = written.files_of(rows, self.table, self.store.files)
        adds = written.adding(new)
        try:
            version = self._tried(adds, [readable(file, self.table) for file in new])
        except LakeError:
            if ours and not self._committed(adds):
                discard(adds, self.store, self.path)
            raise
        if version is None and ours:
            discard(adds, self.store, self.path)
        return version

    def _tried(self, adds: list[AddAction], source: list[DataFile]) -> int | None:
        keys = merge_tasks.look_at(self.tasks, source, self.table, self.keys) if source else None
        for _ in range(merge.TRIES):
            try:
                return self._attempt(adds, source, keys)
            except log.Moved:
                continue
        raise merge.lost(self.table)

    def _attempt(
        self, adds: list[AddAction], source: list[DataFile], keys: merge_tasks.Keys | None
    ) -> int | None:
        delta = growth.grown(self.path, self.table, self.store.options, replaces=True)
        candidates = [] if delta is None or keys is None else self._candidates(delta, keys)
        touched, rewritten = merge_tasks.without(self.tasks, candidates, source, self.table, self.keys)
        gone = [file for file in log.active_files(delta) if file.path in set(touched)] if delta else []
        base = delta.version() if delta is not None else None
        change = log.Change(
            self.table.name,
            "UPSERT",
            (),
            types.to_delta(self.table),
            self.table.partition_by,
            removes=lambda _: gone,
            check=lambda latest: merge.same(latest, base),
            txn=self.txn,
        )
        rest = written.adding(rewritten)
        return commit_files([*adds, *rest], self.store, self.path, change, rejected=rest)

    def _candidates(self, delta: DeltaTable, keys: merge_tasks.Keys) -> list[DataFile]:
        active = [file for file in log.active_files(delta) if keys.may_be_in(file)]
        return data_files(self.store.files.storage, self.path, delta, active)

    def _committed(self, adds: Sequence[AddAction]) -> bool:
        """Whether the latest version has one of the files; they come together or not at all."""
        delta = latest_table(self.path, self.store.options)
        present = {file.path for file in log.active_files(delta)} if delta is not None else set()
        return any(add.path in present for add in adds)
