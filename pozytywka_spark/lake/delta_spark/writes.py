"""How frames get into Delta tables by the JVM classes: the writer's options, the merge, partitions."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame, DataFrameWriter
from pyspark.sql import functions as F

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake import partitions
from pozytywka_spark.lake import row_checks as checks
from pozytywka_spark.lake.api import Partition, Txn
from pozytywka_spark.schemas import Table

_SOURCE = "_source_"


def partitions_of(table: Table, named: Sequence[Partition]) -> list[partitions.Rendered]:
    """The named partitions, checked; raises `LakeError` if there are none."""
    if not named:
        raise LakeError(f"table {table.name}: replace_partitions was told no partition")
    return partitions.checked(table.name, table.schema, table.partition_by, named)


def only_partitions(
    df: DataFrame, name: str, named: Sequence[Partition], partition_by: Sequence[str]
) -> DataFrame:
    """Rows of the named partitions only; `name` is the table's, for errors."""
    rendered = partitions.checked(name, df.schema, partition_by, named)
    return df.filter(checks.is_within(Table(name, df.schema, (), tuple(partition_by)), rendered))


def delta_writer(df: DataFrame, table: Table, txn: Txn | None) -> DataFrameWriter:
    """A writer of the table's partitions under a transaction; mode, further options and place are to come."""
    # static by name: a session's dynamic mode would turn overwrite into something else
    writer = df.write.format("delta").option("partitionOverwriteMode", "static")
    if table.partition_by:
        writer = writer.partitionBy(*table.partition_by)
    if txn is not None:
        writer = writer.option("txnAppId", txn.app).option("txnVersion", txn.version)
    return writer


def merge_into(path: str, source: DataFrame, table: Table, keys: Sequence[str]) -> None:
    """MERGE into the table at `path` through `DataFrame.mergeInto`.

    Spark's own API, for which a Connect session needs nothing of Delta's. The source's columns are
    renamed so that no name needs a qualifier: mergeInto can't give a path an alias.
    """
    renamed = source.select(*(F.col(name).alias(_SOURCE + name) for name in table.columns))
    matches = [F.col(key).eqNullSafe(F.col(_SOURCE + key)) for key in keys]
    assignments = {name: F.col(_SOURCE + name) for name in table.columns}
    condition = matches[0]
    for match in matches[1:]:
        condition = condition & match
    quoted = path.replace("`", "``")
    (
        renamed.mergeInto(f"delta.`{quoted}`", condition)
        .whenMatched()
        .update(assignments)
        .whenNotMatched()
        .insert(assignments)
        .merge()
    )
