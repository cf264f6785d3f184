"""One batch of one entity, from raw lines to committed tables; done twice, it changes nothing.

The order of the writes makes it so: first what became of the rows is put down, then quarantine and
rescued fields, then silver, then the files as read. Each write bears the batch as its transaction,
and what the same batch has put into quarantine doesn't count as there before; so whenever an
attempt is cut short, the next one finds the same outcomes, or finds them written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest import ledger
from pozytywka_spark.ingest.catalogue import resolve_catalogue
from pozytywka_spark.ingest.contracts import SESSIONS, Contract
from pozytywka_spark.ingest.events import resolve_events
from pozytywka_spark.ingest.judging import Judged, judge_batch
from pozytywka_spark.ingest.lines import as_lines
from pozytywka_spark.ingest.outcomes import KEPT, NOTED, OUTCOMES, REPAIRED
from pozytywka_spark.ingest.rawfile import RawFile
from pozytywka_spark.ingest.rawpaths import decoded_path
from pozytywka_spark.ingest.rules.verdict import Judging
from pozytywka_spark.ingest.writes import write_resolved
from pozytywka_spark.ingest.wrong_kinds import first_of
from pozytywka_spark.kept import Keep, keeping
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.schemas import INGEST_COUNTS, INGEST_FILES

# A batch may be larger than memory; to search for the best encoding of what is read a few times, then
# dropped, costs more than it saves
keeping_rows = partial(keeping, StorageLevel.DISK_ONLY, encoded=False)


@dataclass(frozen=True)
class Source:
    """What a batch belongs to: one entity of one delivery, the `generation`-th time it is read.

    `stream` names it in transactions and in the books.
    """

    contract: Contract
    stream: str
    delivery: str
    generation: int
    ingest_id: int
    judging: Judging
    accept_bad_share: float

    def files_stamp(self) -> dict[str, Any]:
        """What the rows of `ingest_files` have in common."""
        return {
            "ingest_id": self.ingest_id,
            "entity": self.contract.entity,
            "delivery": self.delivery,
            "generation": self.generation,
        }


def ingest_batch(
    spark: SparkSession,
    lake: Lake,
    source: Source,
    lines: DataFrame | None,
    number: int,
    listed: Sequence[RawFile],
) -> None:
    """Read, judge, resolve and commit one batch: the `lines` of the `listed` files (None: no file is left).

    Raises `DataError` if a required field is in no row of a file, or if most rows of a file are unusable;
    then nothing of the batch is written.
    """
    txn, contract = Txn(source.stream, number), source.contract
    if _done(lake, INGEST_FILES.name, txn):
        return
    with keeping_rows() as keep:
        files: Sequence[Mapping[str, Any]] = ()
        if lines is not None:
            # what is decided about a row is decided once, then counted and written from there
            judged = judge_batch(as_lines(lines), contract, source.judging, keep)
            files = judged.files
            if not _done(lake, INGEST_COUNTS.name, txn):  # what was begun is brought to its end
                check_fields(files, contract)
                check_share(judged, source)
            if files and not _done(lake, contract.table.name, txn):
                _take_in(spark, lake, source, judged, txn, keep)
        ledger.record_files(spark, lake, source.files_stamp(), txn, _versions(files, listed))


def _take_in(
    spark: SparkSession,
    lake: Lake,
    source: Source,
    judged: Judged,
    txn: Txn,
    keep: Keep,
) -> None:
    contract, files = source.contract, judged.files
    resolved = _resolve(spark, lake, source, judged, txn.version, keep)
    counts = count_outcomes(resolved)
    reconcile(contract.entity, files, counts)
    if any(file["noted"] for file in files):
        counts += count_notes(judged)
    ledger.record_counts(spark, lake, contract.entity, source.ingest_id, txn, counts)
    any_rescued = any(file["rescued"] for file in files)
    write_resolved(lake, contract, resolved, counts, source.ingest_id, txn, any_rescued=any_rescued)


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


def check_share(judged: Judged, source: Source) -> None:
    """Raise `DataError` naming the files of which more than `accept_bad_share` of the rows failed a rule."""
    refused = [f for f in judged.files if f["rejected"] > source.accept_bad_share * f["rows"]]
    if not refused:
        return
    raise DataError(
        f"{first_of(refused, partial(_told, judged.rows))}; "
        f"nothing of this batch of {source.contract.entity} was taken in: "
        "deliver the right file, or take what is usable and quarantine the rest with a higher "
        f"ingest.accept_bad_share (now {source.accept_bad_share:g})"
    )


def _told(rows: DataFrame, file: Mapping[str, Any]) -> str:
    """A refused file in words: how much of it is unusable, and mostly why."""
    mine = rows.where((F.col("source_file") == file["source_file"]) & F.col("reason").isNotNull())
    reasons = mine.groupBy("reason").agg(F.count("*").alias("rows"), F.min("rule").alias("rule"))
    first = reasons.orderBy(F.desc("rows"), "reason").first()
    assert first is not None
    rule = f" ({first['rule']})" if first["rule"] else ""
    path, rejected, rows = decoded_path(file["source_file"]), file["rejected"], file["rows"]
    return (
        f"{path}: {rejected:,} of {rows:,} rows ({rejected / rows:.0%}) are unusable, "
        f"{first['rows']:,} of them {first['reason']}{rule}"
    )


def count_outcomes(resolved: DataFrame) -> list[dict[str, Any]]:
    """Rows by outcome, reason and, of new events, month."""
    new = F.col("outcome").isin(KEPT, REPAIRED)
    month = (
        F.when(new, F.col("event_month")) if "event_month" in resolved.columns else F.lit(None).cast("date")
    )
    grouped = resolved.groupBy("outcome", "reason", month.alias("event_month"))
    return [row.asDict() for row in grouped.agg(F.count("*").alias("rows")).collect()]


def count_notes(judged: Judged) -> list[dict[str, Any]]:
    """Raw rows by what was noted of them; a row may bear several notes, so these don't add up to rows."""
    noted = judged.rows.select("notes")
    if judged.sound is not None:
        noted = noted.union(judged.sound.select("notes"))
    notes = noted.select(F.explode("notes").alias("reason")).groupBy("reason").agg(F.count("*").alias("rows"))
    return [row.asDict() | {"outcome": NOTED, "event_month": None} for row in notes.collect()]


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
    judged: Judged,
    number: int,
    keep: Keep,
) -> DataFrame:
    contract, files = source.contract, judged.files
    mine = (F.col("stream") == source.stream) & (F.col("batch") == number)
    quarantine = ledger.quarantined(lake, contract.entity)
    before = quarantine.where(~mine) if quarantine is not None else None
    any_rejected = any(file["rejected"] for file in files)
    held = ledger.held(spark, lake, contract.table)
    if contract is not SESSIONS:
        return keep(resolve_catalogue(judged.rows, contract, held, before, any_rejected=any_rejected))
    return resolve_events(
        judged.rows,
        held.where(months_around(files)),
        before,
        keep,
        sound=judged.sound,
        any_incomplete=any(file["incomplete"] for file in files),
        any_rejected=any_rejected,
    )


def months_around(files: Sequence[Mapping[str, Any]]) -> Column:
    """Silver's months around the batch's: a session may have begun in the month before."""
    months = [file[key] for file in files for key in ("first_month", "last_month") if file[key]]
    if not months:
        return F.lit(False)
    first, last = F.lit(min(months)), F.lit(max(months))
    return F.col("event_month").between(F.add_months(first, -1), F.add_months(last, 1))


def _versions(files: Sequence[Mapping[str, Any]], listed: Sequence[RawFile]) -> list[dict[str, Any]]:
    """The files as they were when their rows were read; those without rows as they were listed."""
    read = {
        decoded_path(file["source_file"]): {
            "size": file["source_size"],
            "modified": file["source_modified"],
            "rows": file["rows"],
        }
        for file in files
    }
    empty = {file.path: {"size": file.size, "modified": file.modified, "rows": 0} for file in listed}
    return [{"path": path, **version} for path, version in (empty | read).items()]


def _done(lake: Lake, table: str, txn: Txn) -> bool:
    last = lake.txn_version(table, txn.app)
    return last is not None and last >= txn.version
