"""Quarantined rows get another chance: under today's rules, and beside what has arrived since."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.ingest import ledger
from pozytywka_spark.ingest.batch import count_outcomes, keeping_rows, months_around
from pozytywka_spark.ingest.catalogue import resolve_catalogue
from pozytywka_spark.ingest.contracts import CONTRACTS, SESSIONS, Contract
from pozytywka_spark.ingest.events import UNRESOLVED, resolve_events
from pozytywka_spark.ingest.judging import file_stats, judge_lines
from pozytywka_spark.ingest.lines import as_lines_again
from pozytywka_spark.ingest.outcomes import KEPT, QUARANTINED, REPAIRED
from pozytywka_spark.ingest.rules.verdict import Judging
from pozytywka_spark.ingest.writes import write_silver
from pozytywka_spark.kept import Keep
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import QUARANTINE


def replay_stream(entity: str) -> str:
    """The name under which replayed rows stand in `ingest_counts`."""
    return f"{entity}-replay"


def replay_all(spark: SparkSession, lake: Lake, ingest_id: int, judging: Judging) -> int:
    """Try every quarantined row again; the number that left quarantine."""
    return sum(replay(spark, lake, contract, ingest_id, judging) for contract in CONTRACTS)


def second_chance(spark: SparkSession, lake: Lake, ingest_id: int, judging: Judging) -> int:
    """Try events again that earlier batches couldn't complete: their sessions may have grown."""
    if not lake.exists(QUARANTINE.name):
        return 0
    batches = {
        (row["stream"], row["batch"])
        for row in ledger.counts_of(lake, ingest_id)
        if row["entity"] == SESSIONS.entity
    }
    unresolved = F.col("reason").isin(*UNRESOLVED)
    if len(batches) == 1:  # its rows were judged beside all that there is
        unresolved = unresolved & (F.col("ingest_id") != ingest_id)
    return replay(spark, lake, SESSIONS, ingest_id, judging, among=unresolved)


def replay(
    spark: SparkSession,
    lake: Lake,
    contract: Contract,
    ingest_id: int,
    judging: Judging,
    *,
    among: Column | None = None,
) -> int:
    """Judge an entity's quarantined rows (`among` them, if given) anew and move those that pass.

    Silver is written before quarantine: cut short in between, a row is in both, and the next replay
    finds it a duplicate and takes it out. The number of rows that left quarantine.
    """
    all_rows = ledger.quarantined(lake, contract.entity)
    if all_rows is None:
        return 0
    tried = all_rows if among is None else all_rows.where(among)
    if tried.isEmpty():
        return 0
    with keeping_rows() as keep:
        judged = keep(judge_lines(as_lines_again(tried), contract, judging, keep_text=True))
        others = None if among is None else all_rows.where(~among)
        resolved = keep(_resolve(spark, lake, contract, judged, others, keep))
        counts = [row for row in count_outcomes(resolved) if row["outcome"] != QUARANTINED]
        moved = sum(int(row["rows"]) for row in counts)
        if moved:
            ledger.add_counts(spark, lake, contract.entity, ingest_id, replay_stream(contract.entity), counts)
            _move(lake, contract, all_rows, resolved, any(r["outcome"] in (KEPT, REPAIRED) for r in counts))
        return moved


def _resolve(
    spark: SparkSession,
    lake: Lake,
    contract: Contract,
    judged: DataFrame,
    others: DataFrame | None,
    keep: Keep,
) -> DataFrame:
    """Outcomes of the rows that are tried; `others` stay in quarantine whatever becomes of these."""
    held = ledger.held(spark, lake, contract.table)
    if contract is SESSIONS:
        around = held.where(months_around(file_stats(judged, contract)))
        return resolve_events(judged, around, others, keep)
    return resolve_catalogue(judged, contract, held, others, replaces=False)


def _move(lake: Lake, contract: Contract, all_rows: DataFrame, resolved: DataFrame, any_new: bool) -> None:
    if any_new:
        write_silver(lake, contract, resolved.where(F.col("outcome").isin(KEPT, REPAIRED)), None)
    left = resolved.where(F.col("outcome") != QUARANTINED).select(F.col("line_id").alias("quarantine_id"))
    staying = all_rows.join(left, on="quarantine_id", how="left_anti")
    lake.replace_partitions(QUARANTINE.conform(staying), QUARANTINE, [{"entity": contract.entity}])
