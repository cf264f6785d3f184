"""Files that must lie in named partitions."""

from __future__ import annotations

from collections.abc import Sequence

from deltalake.transaction import AddAction

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake import partitions
from pozytywka_spark.lake.api import Partition
from pozytywka_spark.schemas import Table


def wanted(table: Table, named: Sequence[Partition]) -> list[partitions.Rendered]:
    """The named partitions as the log spells them. Raises `LakeError` for none, or one that can't be."""
    if not named:
        raise LakeError(f"table {table.name}: replace_partitions was told no partition")
    return partitions.checked(table.name, table.schema, table.partition_by, named)


def check_within(table: Table, actions: Sequence[AddAction], rendered: Sequence[partitions.Rendered]) -> None:
    """Raise `LakeError` naming the partition of a file that lies in none of those wanted."""
    for action in actions:
        if not partitions.within(action.partition_values, rendered):
            raise LakeError(
                f"table {table.name}: a row lies in {partitions.named(action.partition_values)}, "
                f"outside {'; '.join(map(partitions.named, rendered))}"
            )
