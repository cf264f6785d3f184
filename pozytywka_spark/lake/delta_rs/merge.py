"""Upsert by copy on write: the files that hold one of the keys are rewritten, all others stay."""

from __future__ import annotations

from collections.abc import Sequence

from deltalake import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake import types
from pozytywka_spark.lake.api import Txn
from pozytywka_spark.lake.delta_rs import growth, log
from pozytywka_spark.lake.delta_rs.file_store import FILE, Store, write_and_commit
from pozytywka_spark.lake.delta_rs.latest import latest_table
from pozytywka_spark.schemas import Table

TRIES = 5
# Timestamps are left out: collected, they lose their zone, and a bound that is off by it would lose rows.
_COMPARABLE = (T.StringType, T.ByteType, T.ShortType, T.IntegerType, T.LongType, T.DateType)


def upsert(
    spark: SparkSession,
    df: DataFrame,
    table: Table,
    keys: Sequence[str],
    store: Store,
    path: str,
    txn: Txn | None,
) -> int | None:
    """Update the rows of `path` whose keys match a row of `df`, insert the others; null equals null.

    Raises `LakeError` if `df` has a key twice, or if other writers were faster five times.
    """
    if log.done_before(latest_table(path, store.options), txn):
        return None
    source = df.persist()  # read three times: for its keys' uniqueness, their files, the new rows
    try:
        check_unique(source, table, keys)
        for _ in range(TRIES):
            try:
                return _attempt(spark, source, table, keys, store, path, txn)
            except log.Moved:
                continue
    finally:
        source.unpersist()
    raise lost(table)


def lost(table: Table) -> LakeError:
    """What is said to a writer whom others overtook that often."""
    return LakeError(
        f"table {table.name}: UPSERT lost {TRIES} races against other writers; "
        "run it again when they are done"
    )


def check_unique(df: DataFrame, table: Table, keys: Sequence[str]) -> None:
    """Raise `LakeError` with an example if two rows of `df` have one key: which would win is chance."""
    twice = df.groupBy(*keys).count().filter(F.col("count") > 1).limit(1).collect()
    if twice:
        example = ", ".join(f"{key}={twice[0][key]}" for key in keys)
        raise LakeError(
            f"table {table.name}: upsert of {twice[0]['count']} rows of one key ({example}); keep one of each"
        )


def _attempt(
    spark: SparkSession,
    source: DataFrame,
    table: Table,
    keys: Sequence[str],
    store: Store,
    path: str,
    txn: Txn | None,
) -> int | None:
    delta = growth.grown(path, table, store.options, replaces=True)
    touched: list[log.ActiveFile] = []
    rows = source
    if delta is not None:
        touched = _files_with(spark, source, keys, store, path, delta)
        if touched:
            others = _without(store.read(spark, path, delta, touched), source, keys)
            rows = others.unionByName(source)
    base = delta.version() if delta is not None else None
    change = log.Change(
        table.name,
        "UPSERT",
        (),
        types.to_delta(table),
        table.partition_by,
        removes=lambda _: touched,
        check=lambda latest: same(latest, base),
        txn=txn,
    )
    return write_and_commit(rows, table, store, path, change)


def same(latest: DeltaTable, base: int | None) -> None:
    """Raise `Moved` unless the snapshot is the one that was read: a writer may have added one of our keys."""
    if base is None or latest.version() != base:
        raise log.Moved


def _files_with(
    spark: SparkSession, source: DataFrame, keys: Sequence[str], store: Store, path: str, delta: DeltaTable
) -> list[log.ActiveFile]:
    """The active files that hold a row with one of the source's keys."""
    candidates = _candidates(source, keys, delta)
    if not candidates:
        return []
    matches = store.read_with_file(spark, path, delta, candidates).select(*keys, FILE)
    hits = _matching(matches, source, keys, "left_semi").select(FILE).distinct().collect()
    relative = {store.relative(row[FILE], path) for row in hits}
    return [file for file in candidates if file.path in relative]


def _candidates(source: DataFrame, keys: Sequence[str], delta: DeltaTable) -> list[log.ActiveFile]:
    """Files that the range of the source's keys can't rule out."""
    active = log.active_files(delta)
    comparable = [key for key in keys if isinstance(source.schema[key].dataType, _COMPARABLE)]
    if not comparable:
        return active
    bounds = source.agg(
        *(F.min(key).alias(f"_low_{key}") for key in comparable),
        *(F.max(key).alias(f"_high_{key}") for key in comparable),
        *_null_flags(comparable),
    ).first()
    assert bounds is not None  # an aggregate without groups has one row
    for key in comparable:
        # not None: an empty source matches nothing, so nothing is ruled in
        if bounds[f"_null_{key}"] is False:
            low, high = bounds[f"_low_{key}"], bounds[f"_high_{key}"]
            active = [file for file in active if file.may_hold(key, low, high)]
    return active


def _null_flags(keys: Sequence[str]) -> list[Column]:
    return [F.bool_or(F.col(key).isNull()).alias(f"_null_{key}") for key in keys]


def _without(df: DataFrame, source: DataFrame, keys: Sequence[str]) -> DataFrame:
    return _matching(df, source, keys, "left_anti")


def _matching(df: DataFrame, source: DataFrame, keys: Sequence[str], how: str) -> DataFrame:
    """`df` semi- or anti-joined with the source's keys, null equal to null."""
    source_keys = source.select(*(F.col(key).alias(f"_source_{key}") for key in keys))
    return df.join(source_keys, [F.col(key).eqNullSafe(F.col(f"_source_{key}")) for key in keys], how)
