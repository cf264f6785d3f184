"""One batch of one entity, from raw lines to committed tables; done twice, it changes nothing.

The order of the writes makes it so: first what became of the rows is put down, then quarantine and
rescued fields, then silver, then the files as read. Each write bears the batch as its transaction,
and what was written by the same batch never counts as there before; so whenever an attempt is cut
short, the next one finds the same outcomes, or finds them written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest import ledger
from pozytywka_spark.ingest.catalogue import resolve_catalogue
from pozytywka_spark.ingest.contracts import SESSIONS, Contract
from pozytywka_spark.ingest.delivery import RawFile, decoded_path
from pozytywka_spark.ingest.events import resolve_events
from pozytywka_spark.ingest.lines import as_lines, filter_blank, parse
from pozytywka_spark.ingest.normalise import is_incomplete, judge
from pozytywka_spark.ingest.outcomes import KEPT, OUTCOMES, QUARANTINED, REPAIRED
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.schemas import EVENTS, INGEST_FILES, QUARANTINE, RESCUED, month_of


@dataclass(frozen=True)
class Source:
    """What a batch belongs to: the stream that reads one entity of one delivery."""

    contract: Contract
    stream: str
    delivery: str
    generation: int
    ingest_id: int
    listed: tuple[RawFile, ...]
    max_line_bytes: int


def ingest_batch(spark: SparkSession, lake: Lake, source: Source, batch: DataFrame, number: int) -> None:
    """Read, judge, resolve and commit one batch of Spark's text source.

    Raises `DataError` if a required field is in no row of a file; then nothing of the batch is written.
    """
    txn = Txn(source.stream, number)
    if _done(lake, INGEST_FILES.name, txn):
        return
    lines = filter_blank(as_lines(batch))
    judged = judge(parse(lines, source.contract, source.max_line_bytes), source.contract)
    judged = judged.persist(StorageLevel.DISK_ONLY)
    try:
        files = file_stats(judged, source.contract)
        check_fields(files, source.contract)
        written = _done(lake, source.contract.table.name, txn)
        if not written:
            resolved = _resolve(spark, lake, source, judged, files, number)
            counts = count_outcomes(resolved)
            reconcile(source.contract.entity, files, counts)
            _commit(spark, lake, source, resolved, counts, txn)
        lake.append(_read_files(spark, source, batch, files, number), INGEST_FILES, txn=txn)
    finally:
        judged.unpersist()


def file_stats(judged: DataFrame, contract: Contract) -> list[dict[str, Any]]:
    """Per file of the batch: rows, rows to repair, first and last event month, rows that lack each field."""
    nothing = F.lit(None).cast("date")
    events = contract is SESSIONS
    passing = F.col("reason").isNull()
    month = F.when(passing, month_of(F.col("event_time"))) if events else nothing
    incomplete = passing & is_incomplete() if events else F.lit(False)
    grouped = judged.groupBy("source_file", "source_size", "source_modified").agg(
        F.count("*").alias("rows"),
        F.count_if(incomplete).alias("incomplete"),
        F.min(month).alias("first_month"),
        F.max(month).alias("last_month"),
        F.count_if(F.coalesce("reason", F.lit("")).isin("malformed", "too_long", "invalid_utf8")).alias(
            "unreadable"
        ),
        *(F.count_if(F.array_contains("absent", name)).alias(f"lacks_{name}") for name in contract.required),
    )
    return [row.asDict() for row in grouped.collect()]


def check_fields(files: Sequence[Mapping[str, Any]], contract: Contract) -> None:
    """Raise `DataError` naming the fields that no readable row of a file has."""
    for file in files:
        readable = file["rows"] - file["unreadable"]
        lacking = [name for name in contract.required if 0 < readable <= file[f"lacks_{name}"]]
        if lacking:
            raise DataError(
                f"{decoded_path(file['source_file'])}: no row has {', '.join(lacking)}; {contract.entity} "
                f"need {', '.join(contract.required)} (null is allowed); nothing of this file was taken in"
            )


def count_outcomes(resolved: DataFrame) -> list[dict[str, Any]]:
    """Rows by outcome, reason and, of events, month."""
    month = F.col("event_month") if "event_month" in resolved.columns else F.lit(None).cast("date")
    reason = F.when(F.col("outcome") != KEPT, F.col("reason"))
    grouped = resolved.groupBy("outcome", reason.alias("reason"), month.alias("event_month"))
    return [row.asDict() for row in grouped.agg(F.count("*").alias("rows")).collect()]


def reconcile(entity: str, files: Sequence[Mapping[str, Any]], counts: Sequence[Mapping[str, Any]]) -> None:
    """Check that read = kept + repaired + quarantined + duplicates; raise `DataError` if a row got lost."""
    read = sum(file["rows"] for file in files)
    by_outcome = {name: sum(r["rows"] for r in counts if r["outcome"] == name) for name in OUTCOMES}
    if read != sum(by_outcome.values()):
        told = ", ".join(f"{name} {rows:,}" for name, rows in by_outcome.items())
        raise DataError(
            f"{entity}: {read:,} rows were read but {sum(by_outcome.values()):,} accounted for ({told}); "
            "nothing was written; a file may have changed while it was read: run ingest again"
        )


def _resolve(
    spark: SparkSession,
    lake: Lake,
    source: Source,
    judged: DataFrame,
    files: Sequence[Mapping[str, Any]],
    number: int,
) -> DataFrame:
    contract = source.contract
    mine = (F.col("stream") == source.stream) & (F.col("batch") == number)
    before = ledger.held(spark, lake, QUARANTINE).where((F.col("entity") == contract.entity) & ~mine)
    quarantined = before.select(F.col("quarantine_id").alias("line_id"))
    if contract is not SESSIONS:
        return resolve_catalogue(judged, contract, ledger.held(spark, lake, contract.table), quarantined)
    held = ledger.held(spark, lake, EVENTS).where(_between(files))
    return resolve_events(judged, held, quarantined, any_incomplete=any(file["incomplete"] for file in files))


def _between(files: Sequence[Mapping[str, Any]]) -> Column:
    """Silver's months around the batch's: a session may begin a month before the row that needs it."""
    months: list[date] = [file[key] for file in files for key in ("first_month", "last_month") if file[key]]
    if not months:
        return F.lit(False)
    first, last = F.lit(min(months)), F.lit(max(months))
    return F.col("event_month").between(F.add_months(first, -1), F.add_months(last, 1))


def _commit(
    spark: SparkSession,
    lake: Lake,
    source: Source,
    resolved: DataFrame,
    counts: Sequence[dict[str, Any]],
    txn: Txn,
) -> None:
    contract = source.contract
    stamp = {
        "entity": contract.entity,
        "stream": source.stream,
        "batch": txn.version,
        "ingest_id": source.ingest_id,
    }
    ledger.record_counts(spark, lake, source.stream, txn.version, [stamp | row for row in counts])
    stamps = {name: F.lit(value).cast(QUARANTINE.schema[name].dataType) for name, value in stamp.items()}
    if any(row["outcome"] == QUARANTINED for row in counts):
        rejected = resolved.where(F.col("outcome") == QUARANTINED).withColumns(
            {**stamps, "quarantine_id": F.col("line_id"), "source_file": _path(F.col("source_file"))}
        )
        lake.append(QUARANTINE.conform(rejected), QUARANTINE, txn=txn)
    new = resolved.where(F.col("outcome").isin(KEPT, REPAIRED))
    rescued = new.where(F.col("rescued").isNotNull()).withColumns(
        {
            **stamps,
            "key": F.col(contract.table.keys[0]).cast("string"),
            "source_file": _path(F.col("source_file")),
        }
    )
    if not rescued.isEmpty():
        lake.upsert(RESCUED.conform(rescued), RESCUED, txn=txn)
    rows = contract.table.conform(new)
    if contract is SESSIONS:
        lake.append(rows, contract.table, txn=txn)
    else:
        lake.upsert(rows, contract.table, txn=txn)


def _path(address: Column) -> Column:
    """The plain path of a file's address (see `delivery.decoded_path`), in Spark."""
    decoded = F.try_url_decode(F.replace(address, F.lit("+"), F.lit("%2B")))
    return F.regexp_replace(F.coalesce(decoded, address), "^file:/+", "/")


def _read_files(
    spark: SparkSession, source: Source, batch: DataFrame, files: Sequence[Mapping[str, Any]], number: int
) -> DataFrame:
    """The batch's files in the version that was read: that of their rows, or as listed if they had none."""
    read = {
        decoded_path(f["source_file"]): (f["source_size"], f["source_modified"], f["rows"]) for f in files
    }
    listed = {file.path: (file.size, file.modified, 0) for file in source.listed}
    empty = {path for path in map(decoded_path, batch.inputFiles()) if path not in read}
    versions = read | {path: listed[path] for path in empty if path in listed}
    rows = [
        {
            "stream": source.stream,
            "batch": number,
            "ingest_id": source.ingest_id,
            "entity": source.contract.entity,
            "delivery": source.delivery,
            "generation": source.generation,
            "path": path,
            "size": size,
            "modified": modified,
            "rows": count,
        }
        for path, (size, modified, count) in sorted(versions.items())
    ]
    return spark.createDataFrame(rows, INGEST_FILES.schema)


def _done(lake: Lake, table: str, txn: Txn) -> bool:
    last = lake.txn_version(table, txn.app)
    return last is not None and last >= txn.version
