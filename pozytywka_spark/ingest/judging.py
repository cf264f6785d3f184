"""A batch's lines, judged: all of them at a first look where one will do, the doubtful ones at a second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.config import Ingest
from pozytywka_spark.ingest.contracts import SESSIONS, Contract
from pozytywka_spark.ingest.events import with_event_id
from pozytywka_spark.ingest.long_way import judge
from pozytywka_spark.ingest.normalise import is_incomplete
from pozytywka_spark.ingest.rules.verdict import Judging
from pozytywka_spark.ingest.sound import as_judged, doubtful_lines, look_first, sound_rows
from pozytywka_spark.kept import Keep
from pozytywka_spark.schemas import month_of


@dataclass(frozen=True)
class Judged:
    """A batch's rows, stored, and what `file_stats` tells of all of them.

    `sound` are those that a first look let pass, if others had to be judged at a second: they aren't
    among `rows` then, and are None otherwise.
    """

    rows: DataFrame
    sound: DataFrame | None
    files: list[dict[str, Any]]


def judging_of(settings: Ingest, now: datetime) -> Judging:
    """What lines are judged by in an ingest that begins `now` (with its zone), or at `ingest.at`."""
    at = settings.at or now.astimezone(UTC)
    return Judging(settings.max_line_bytes, at + timedelta(days=settings.future_days))


def judge_batch(lines: DataFrame, contract: Contract, judging: Judging, keep: Keep) -> Judged:
    """Lines read and judged; of sessions, those in doubt only after a first look at all."""
    if contract is not SESSIONS:
        judged = keep(judge_lines(lines, contract, judging))
        return Judged(judged, None, file_stats(judged, contract))
    seen = keep(with_event_id(look_first(lines, judging)))
    files = file_stats(as_judged(seen), contract)
    if not any(file["rejected"] for file in files):
        return Judged(sound_rows(seen), None, files)
    doubtful = keep(judge_lines(doubtful_lines(seen), contract, judging))
    return Judged(doubtful, sound_rows(seen), _merged(files, file_stats(doubtful, contract)))


def judge_lines(
    lines: DataFrame, contract: Contract, judging: Judging, *, keep_text: bool = False
) -> DataFrame:
    """Lines read and judged; events with their identity."""
    judged = judge(lines, contract, judging, keep_text=keep_text)
    return with_event_id(judged) if contract is SESSIONS else judged


def file_stats(judged: DataFrame, contract: Contract) -> list[dict[str, Any]]:
    """Per file of the batch: rows, how many need what, event months, rows that lack each field."""
    events = contract is SESSIONS
    passing = F.col("reason").isNull()
    month = F.when(passing, month_of(F.col("event_time"))) if events else F.lit(None).cast("date")
    unreadable = F.coalesce(F.col("reason").isin("malformed", "too_long", "invalid_utf8"), F.lit(False))
    grouped = judged.groupBy("source_file", "source_size", "source_modified").agg(
        F.count("*").alias("rows"),
        F.count_if(~passing).alias("rejected"),
        F.count_if(unreadable).alias("unreadable"),
        F.count_if(passing & is_incomplete() if events else F.lit(False)).alias("incomplete"),
        F.count("rescued").alias("rescued"),
        F.count_if(F.size("notes") > 0).alias("noted"),
        F.min(month).alias("first_month"),
        F.max(month).alias("last_month"),
        *(F.count_if(F.array_contains("absent", name)).alias(f"lacks_{name}") for name in contract.required),
    )
    return [row.asDict() for row in grouped.collect()]


def _merged(seen: Sequence[Mapping[str, Any]], doubtful: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Stats of files of which some rows are doubtful: of the first look they hold all rows and the sound
    ones' notes and months, the rest is told by the doubtful rows.
    """
    second = {file["source_file"]: file for file in doubtful}
    merged = []
    for file in seen:
        other = second.get(file["source_file"], file)
        first = [each["first_month"] for each in (file, other) if each["first_month"]]
        last = [each["last_month"] for each in (file, other) if each["last_month"]]
        both = {"first_month": min(first, default=None), "last_month": max(last, default=None)}
        noted = file["noted"] + (0 if other is file else other["noted"])
        merged.append({**other, **both, "rows": file["rows"], "noted": noted})
    return merged
