"""Rows that were judged beside what their table held: they count only if nobody wrote to it meanwhile.

txn = next_txn(lake, table, "moderation")  # before the table is looked at
check_alone(lake.append(rows, table, txn=txn), table)
"""

from __future__ import annotations

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.schemas import Table


def next_txn(lake: Lake, table: Table, room: str) -> Txn:
    """The room's next write to the table: whoever of it writes first uses it up."""
    app = f"{room} {table.name}"
    return Txn(app, (lake.txn_version(table.name, app) or 0) + 1)


def check_alone(version: int | None, table: Table) -> None:
    """Raise `LakeError` if another process wrote meanwhile, whose rows weren't looked at.

    `version`: what the write gave back, None where its transaction was used up.
    """
    if version is None:
        raise LakeError(f"rows of table {table.name} were taken in by someone else meanwhile: run it again")
