"""What a resolved batch puts into the lake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.ingest.contracts import SESSIONS, Contract
from pozytywka_spark.ingest.outcomes import KEPT, QUARANTINED, REPAIRED
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.schemas import QUARANTINE, RESCUED


def write_resolved(
    lake: Lake,
    contract: Contract,
    resolved: DataFrame,
    counts: Sequence[Mapping[str, Any]],
    ingest_id: int,
    txn: Txn,
    *,
    any_rescued: bool,
) -> None:
    """Quarantine, rescued fields and, last, silver; nothing is written where there is nothing to write."""
    stamps = _stamps(contract, ingest_id, txn)
    outcomes = {row["outcome"] for row in counts if row["rows"]}
    if QUARANTINED in outcomes:
        rejected = resolved.where(F.col("outcome") == QUARANTINED)
        lake.append(
            QUARANTINE.conform(rejected.withColumns({**stamps, "quarantine_id": F.col("line_id")})),
            QUARANTINE,
            txn=txn,
        )
    if not outcomes & {KEPT, REPAIRED}:
        return
    new = resolved.where(F.col("outcome").isin(KEPT, REPAIRED))
    if any_rescued:
        key = F.col(contract.table.keys[0]).cast("string")
        rescued = new.where(F.col("rescued").isNotNull()).withColumns({**stamps, "key": key})
        lake.upsert(RESCUED.conform(rescued), RESCUED, txn=txn)
    write_silver(lake, contract, new, txn)


def write_silver(lake: Lake, contract: Contract, new: DataFrame, txn: Txn | None) -> None:
    """Add new rows; of catalogue entities, in place of the older rows of their keys."""
    rows = contract.table.conform(new)
    # resolved rows are new by construction, so events need no merge, nor does a table's first load
    if contract is SESSIONS or not lake.exists(contract.table.name):
        lake.append(rows, contract.table, txn=txn)
    else:
        lake.upsert(rows, contract.table, txn=txn)


def _stamps(contract: Contract, ingest_id: int, txn: Txn) -> dict[str, Column]:
    return {
        "entity": F.lit(contract.entity),
        "stream": F.lit(txn.app),
        "batch": F.lit(txn.version).cast("bigint"),
        "ingest_id": F.lit(ingest_id).cast("bigint"),
        "source_file": _path(F.col("source_file")),
    }


def _path(address: Column) -> Column:
    """The plain path of a file's address, as `rawpaths.decoded_path` gives it."""
    decoded = F.try_url_decode(F.replace(address, F.lit("+"), F.lit("%2B")))
    return F.regexp_replace(F.coalesce(decoded, address), "^file:/+", "/")
