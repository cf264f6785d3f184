"""Commit a resolved batch to the lake."""

from __future__ import annotations

from pozytywka_spark.ingest.intake.contracts import FEEDBACK, SESSIONS, Contract
from pozytywka_spark.ingest.resolve.resolve_rows import Resolved
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.lake.shards import Written
from pozytywka_spark.schemas import QUARANTINE, RESCUED, Table


def write_resolved(lake: Lake, contract: Contract, resolved: Resolved, txn: Txn | None) -> None:
    """Quarantine, rescued fields and, last, silver; nothing is written where there is nothing to write."""
    rejected, rescued = of_table(resolved, QUARANTINE), of_table(resolved, RESCUED)
    if rejected:
        lake.append(rejected, QUARANTINE, txn=txn)
    if rescued:
        lake.upsert(rescued, RESCUED, txn=txn)
    write_silver(lake, contract, resolved, txn)


def write_silver(lake: Lake, contract: Contract, resolved: Resolved, txn: Txn | None) -> None:
    """Add new rows; of catalogue entities, in place of the older rows of their keys."""
    new = of_table(resolved, contract.table)
    if not new:
        return
    # resolved rows are new by construction, so events need no merge, nor texts that replace none, nor does a
    # table's first load
    is_new = contract is SESSIONS or (contract is FEEDBACK and not resolved.replaces)
    if is_new or not lake.exists(contract.table.name):
        lake.append(new, contract.table, txn=txn)
    else:
        lake.upsert(new, contract.table, txn=txn)


def of_table(resolved: Resolved, table: Table) -> list[Written]:
    """The files that were written for a table."""
    return [file for file in resolved.written if file.table == table.name]
