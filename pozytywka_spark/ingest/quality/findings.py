"""Findings on what an ingest read, and all findings as the `quality` table keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pozytywka_spark import schemas
from pozytywka_spark.ingest.intake import ingest_log
from pozytywka_spark.ingest.intake.contracts import CONTRACTS
from pozytywka_spark.ingest.outcomes import DUPLICATE, NOTED, OUTCOMES, QUARANTINED, REPAIRED
from pozytywka_spark.ingest.quality import checks as c
from pozytywka_spark.ingest.quality.checks import Finding
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.lake.casting import as_table

_NOTE_MEANING = {
    "null": "delivered as null or not at all",
    "null as text": "the word null, None or nan in place of an identifier: taken as none",
    "blank": "blanks, or nothing, in place of an identifier: taken as none",
    "blanks around": "blanks around an identifier: cut off",
    "timestamp_from_epoch": "a number, as in its whole file: read as seconds, or parts of one, since 1970",
    "-1": "stands for no identifier: taken as null",
    "empty": "delivered as an empty text: taken as none, as adverts and purchases have",
    "case": "in another case: corrected",
    "spelling": "misspelt: corrected",
    "masked": "an address, a number or a link in it was masked",
    "unknown name": "a text whose writer isn't known yet, so that their name may stand in it",
    "stray": "a field that the contract doesn't know: kept in `rescued`",
}
# Why a row was rejected, repaired or left out, in words.
REASON_MEANING = {
    "missing_id": "an artist or a track without its identifier",
    "missing_user_id": "a user without an identifier",
    "missing_session_id": "an event without its session",
    "missing_user": "a text, and nobody who wrote it",
    "missing_feedback_id": "a text without its identifier",
    "missing_text": "neither a score nor a text in which anything can be seen",
    "missing_track_id": "stored facts without the track that they are of",
    "unknown_user": "no user, and its session names none or several",
    "unknown_event": "no event type, and session and delivery leave no one answer",
    "unknown_track": "no track, and session and delivery leave no one answer",
    "user_from_session": "the user, told by the session's other events",
    "type_by_order": "the event type, the only one that session and delivery leave",
    "track_from_play": "the track, told by the play that it follows",
    "track_from_skip_or_like": "the track, told by what follows the play",
    "malformed": "not one JSON object and nothing else",
    "duplicate_key": "a key twice: which of its values is meant can't be told",
    "bad_identifier": "an identifier that no table can hold as it is",
    "in_the_future": "later than the ingest and ingest.future_days: tried again by --replay",
    "wrong_type": "a field of another type than the contract's",
    "too_long": "longer than ingest.max_line_bytes",
    "invalid_utf8": "not text in UTF-8",
    "bad_timestamp": "no real date and time",
    "bad_date": "no real date",
    "out_of_range": "a number or time beyond what is possible",
    "unknown_event_type": "none of the five event types",
    "unexpected_track": "an advert or a purchase with a track",
    "unknown_channel": "none of the three channels",
    "bad_queue": "a queue that could be anything but the name of one",
    "unknown_storage_class": "none of the three storage classes",
    "same_row": "taken in before",
    "older_row": "a later row of the same key was taken",
    "incomplete_copy": "a complete copy is there",
    "quarantined_before": "in quarantine already",
}
# Notes on what is read as it is meant
_HARMLESS = (
    "empty", "case", "spelling", "blanks around", "timestamp_from_epoch",
    "null text", "null score", "null queue", "null spam", "masked",
)  # fmt: skip
# What the analysts once found: counted in every report, be it as 0.
_ALWAYS = {
    "users": ("null favourite_genres", "null premium_user", "stray id"),
    "artists": ("-1 as id", "null genres"),
    "tracks": ("-1 as id", "null id", "null id_artist"),
    "sessions": (
        "-1 as track_id", "-1 as user_id", "case of event_type", "empty track_id", "null event_type",
        "null track_id", "null user_id", "spelling of event_type",
    ),
}  # fmt: skip


def raw_findings(counts: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """What became of the delivered rows, reason by reason, and what was noted of them."""
    findings = []
    for contract in CONTRACTS:
        mine = [row for row in counts if row["entity"] == contract.entity]
        read = sum(row["rows"] for row in mine if row["outcome"] in OUTCOMES)
        grouped: dict[tuple[str, str], int] = {}
        for row in mine:
            key = (row["outcome"], row["reason"] or "")
            grouped[key] = grouped.get(key, 0) + row["rows"]
        if read:
            grouped = {(NOTED, name): 0 for name in _ALWAYS.get(contract.entity, ())} | grouped
        findings += [
            _raw_finding(contract.entity, outcome, reason, rows, read)
            for (outcome, reason), rows in sorted(grouped.items())
            if outcome in (DUPLICATE, NOTED, QUARANTINED, REPAIRED)
        ]
    return findings


def record_findings(lake: Lake, ingest_id: int, findings: Sequence[Finding]) -> None:
    """Keep the findings; those of an ingest cut short are replaced by those of its next attempt."""
    rows = [
        {
            "ingest_id": ingest_id,
            "entity": f.entity,
            "check": f.check,
            "severity": f.severity,
            "rows": f.rows,
            "total": f.total,
            "rate": f.rate,
            "examples": list(f.examples),
            "meaning": f.meaning,
        }
        for f in findings
    ]
    table = as_table(rows, schemas.QUALITY)
    if lake.append(table, schemas.QUALITY, txn=Txn("quality", ingest_id)) is None:
        lake.upsert(table, schemas.QUALITY)


def last_findings(lake: Lake) -> list[Finding]:
    """The findings of the last finished ingest."""
    if not lake.exists(schemas.QUALITY.name):
        return []
    findings = pl.DataFrame(lake.rows(schemas.QUALITY.name))
    mine = findings.filter(ingest_id=ingest_log.last_ingest_id(lake)).sort("entity", "check")
    return [
        Finding(
            r["entity"], r["check"], r["severity"], r["rows"], r["total"], r["meaning"], tuple(r["examples"])
        )
        for r in mine.iter_rows(named=True)
    ]


def _raw_finding(entity: str, outcome: str, reason: str, rows: int, read: int) -> Finding:
    if outcome == NOTED:
        words = reason.split(" ")
        names = (reason, " ".join(words[:-1]), words[0])
        meaning = next((_NOTE_MEANING[name] for name in names if name in _NOTE_MEANING), "")
        severity = c.INFO if reason.startswith(_HARMLESS) else c.WARN
        severity = severity if rows else c.OK
        return Finding(entity, f"raw: {reason}", severity, rows, read, meaning)
    severity = c.INFO if outcome != QUARANTINED else c.ERROR if rows * 2 > read else c.WARN
    parts = [part.strip() for part in reason.split(",")]
    meaning = "; ".join(REASON_MEANING.get(part, part.replace("_", " ")) for part in parts)
    return Finding(entity, f"{outcome}: {reason}", severity, rows, read, meaning)
