"""Compaction and vacuum of delta-rs tables."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence, Set
from urllib.parse import unquote

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.delta_rs import log, read_parquet
from pozytywka_spark.lake.delta_rs import supported_features as guard
from pozytywka_spark.lake.delta_rs.file_store import Store, write_and_commit
from pozytywka_spark.lake.storage import staging
from pozytywka_spark.lake.types import to_spark
from pozytywka_spark.schemas import Table

TARGET_BYTES = 128 * 1024 * 1024


def compact(spark: SparkSession, name: str, store: Store, path: str) -> int | None:
    """Rewrite each partition's small files as few large ones; None if there is nothing to gain.

    Raises `LakeError` if another writer changed one of those files meanwhile.
    """
    delta = read_parquet.snapshot(name, path, None, None, store.options)
    guard.check_writable(name, delta, replaces=False)
    small, most = _worthwhile(log.active_files(delta))
    if not small:
        return None
    schema, partition_by = to_spark(delta.schema()), tuple(delta.metadata().partition_columns)
    paths = {file.path for file in small}

    def still_there(latest: DeltaTable) -> None:
        if not paths <= {file.path for file in log.active_files(latest)}:
            raise LakeError(
                f"table {name}: another writer changed it while it was being compacted; run it again"
            )

    change = log.Change(
        name,
        "COMPACT",
        (),
        delta.schema(),
        partition_by,
        removes=lambda _: small,
        check=still_there,
        rearranges=True,
    )
    rows = _gathered(store.read(spark, path, delta, small), partition_by, most)
    order, personal = schemas.order_of(name, schema.names), schemas.personal_columns(name)
    table = Table(name, schema, (), partition_by, order, personal)
    return write_and_commit(rows, table, store, path, change)


def _worthwhile(active: Sequence[log.ActiveFile]) -> tuple[list[log.ActiveFile], int]:
    """Small files of partitions with two or more, and how many files the largest partition needs after."""
    groups: dict[tuple[str | None, ...], list[log.ActiveFile]] = defaultdict(list)
    for file in active:
        if file.size < TARGET_BYTES // 2:
            groups[tuple(file.partition.values())].append(file)
    worth = [group for group in groups.values() if len(group) > max(1, _files_needed(group))]
    return [file for group in worth for file in group], max(map(_files_needed, worth), default=0)


def _files_needed(group: Sequence[log.ActiveFile]) -> int:
    return math.ceil(sum(file.size for file in group) / TARGET_BYTES)


def _gathered(df: DataFrame, partition_by: Sequence[str], most: int) -> DataFrame:
    if not partition_by:
        return df.coalesce(most)  # keeps neighbours together, and with them what statistics can skip
    return df.repartition(*partition_by, F.pmod(F.spark_partition_id(), F.lit(most)))


def vacuum(name: str, store: Store, path: str, retention_hours: float, keep_versions: Sequence[int]) -> int:
    """Delete data files that no version of the last `retention_hours`, and no kept one, needs; their number.

    What no commit ever named (of writers that died between moving their files and the commit) goes
    only when it is older than any live writer could be. Raises `LakeError` for a version that isn't there.
    """
    if retention_hours < 0:
        raise LakeError(f"table {name}: vacuum with retention_hours={retention_hours}: expected 0 or more")
    guard.check_writable(name, read_parquet.snapshot(name, path, None, None, store.options), replaces=False)
    for version in keep_versions:
        read_parquet.snapshot(name, path, version, None, store.options)
    hours = math.ceil(retention_hours)
    orphan_hours = max(hours, math.ceil(staging.LIVE_WRITER_HOURS))
    before = store.data_files(path)
    try:
        _vacuum(path, store, before, hours, keep_versions, full=False)
        _vacuum(path, store, before, orphan_hours, keep_versions, full=True)
    except (DeltaError, OSError) as error:
        raise LakeError(f"table {name}: vacuum failed: {error}") from error
    gone = before - store.data_files(path)
    store.sweep(path)
    store.sweep(store.root)
    return len(gone)


def _vacuum(
    path: str,
    store: Store,
    present: Set[str],
    hours: int,
    keep_versions: Sequence[int],
    *,
    full: bool,
) -> None:
    delta = DeltaTable(path, storage_options=store.options)  # it commits: its own

    def run(*, dry: bool) -> list[str]:
        return delta.vacuum(
            hours,
            dry_run=dry,
            enforce_retention_duration=False,
            full=full,
            keep_versions=list(keep_versions) or None,
        )

    # it logs itself in two commits, and lists what an earlier one deleted: only run it for what is there
    if any(unquote(gone) in present for gone in run(dry=True)):
        with log.turn(path, store.options):
            run(dry=False)
