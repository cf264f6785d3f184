"""All findings on what an ingest read and on what silver holds since, as the `quality` table keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.ingest import checks as c
from pozytywka_spark.ingest import ledger
from pozytywka_spark.ingest.checks import Finding
from pozytywka_spark.ingest.contracts import CONTRACTS
from pozytywka_spark.ingest.outcomes import DUPLICATE, NOTED, OUTCOMES, QUARANTINED, REPAIRED
from pozytywka_spark.lake.api import Lake, Txn

__all__ = ["Finding", "find_all", "last_findings", "record_findings"]

_SHORT_HISTORY_MONTHS = 12
_NOTE_MEANING = {
    "null": "delivered as null or not at all",
    "-1": "stands for no identifier: taken as null",
    "empty": "delivered as an empty text: taken as none, as adverts and purchases have",
    "spelling": "in another case or misspelt: corrected",
    "stray": "a field that the contract doesn't know: kept in `rescued`",
}


def find_all(spark: SparkSession, lake: Lake, counts: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Findings on the raw rows of an ingest (its `counts`), then on each table of silver."""
    return [*raw_findings(counts), *silver_findings(spark, lake)]


def raw_findings(counts: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """What became of the delivered rows, reason by reason, and what was noted of them."""
    found = []
    for contract in CONTRACTS:
        mine = [row for row in counts if row["entity"] == contract.entity]
        read = sum(row["rows"] for row in mine if row["outcome"] in OUTCOMES)
        grouped: dict[tuple[str, str], int] = {}
        for row in mine:
            key = (row["outcome"], row["reason"] or "")
            grouped[key] = grouped.get(key, 0) + row["rows"]
        found += [
            _raw_finding(contract.entity, outcome, reason, rows, read)
            for (outcome, reason), rows in sorted(grouped.items())
            if outcome in (DUPLICATE, NOTED, QUARANTINED, REPAIRED)
        ]
    return found


def silver_findings(spark: SparkSession, lake: Lake) -> list[Finding]:
    """The checks of every table that is there, among them those that look across tables."""
    tables = {table.name: lake.read(table.name) for table in schemas.SILVER if lake.exists(table.name)}
    found = []
    if "users" in tables:
        found += c.run_checks(_users(tables), "user_id", c.user_checks())
    if "artists" in tables:
        found += c.run_checks(_with_namesakes(tables["artists"]), "id", c.artist_checks())
    if "tracks" in tables:
        found += c.run_checks(_tracks(tables), "id", c.track_checks())
    if "track_storage" in tables:
        stored = _with_known(tables["track_storage"], "track_id", tables.get("tracks"), "id", "track_known")
        found += c.run_checks(stored, "track_id", c.storage_checks())
    if "events" in tables:
        found += c.run_checks(_events(tables), "event_id", c.event_checks())
        found += _across_events(tables["events"])
    return found


def record_findings(spark: SparkSession, lake: Lake, ingest_id: int, findings: Sequence[Finding]) -> None:
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
    df = spark.createDataFrame(rows, schemas.QUALITY.schema)
    if lake.append(df, schemas.QUALITY, txn=Txn("quality", ingest_id)) is None:
        lake.upsert(df, schemas.QUALITY)


def last_findings(lake: Lake) -> list[Finding]:
    """The findings of the last finished ingest."""
    if not lake.exists(schemas.QUALITY.name):
        return []
    last = ledger.last_ingest_id(lake)
    rows = (
        lake.read(schemas.QUALITY.name).where(F.col("ingest_id") == last).orderBy("entity", "check").collect()
    )
    return [
        Finding(
            r["entity"], r["check"], r["severity"], r["rows"], r["total"], r["meaning"], tuple(r["examples"])
        )
        for r in rows
    ]


def _raw_finding(entity: str, outcome: str, reason: str, rows: int, read: int) -> Finding:
    if outcome == NOTED:
        meaning = _NOTE_MEANING.get(reason.split(" ")[0], "")
        severity = c.INFO if reason.startswith(("empty", "spelling")) else c.WARN
        return Finding(entity, f"raw: {reason}", severity, rows, read, meaning)
    meanings = {
        DUPLICATE: "already there, or there in a newer version",
        QUARANTINED: "rejected; kept in `quarantine` until a replay passes",
        REPAIRED: "completed from the session",
    }
    severity = c.INFO if outcome != QUARANTINED else c.ERROR if rows * 2 > read else c.WARN
    return Finding(entity, f"{outcome}: {reason}", severity, rows, read, meanings[outcome])


def _users(tables: Mapping[str, DataFrame]) -> DataFrame:
    if "events" not in tables:
        return tables["users"].withColumns(
            {"bought": F.lit(None).cast("bigint"), "seen": F.lit(None).cast("boolean")}
        )
    bought = F.count_if(F.col("event_type") == schemas.BUY_PREMIUM).alias("bought")
    by_user = tables["events"].groupBy("user_id").agg(bought, F.lit(True).alias("seen"))
    joined = tables["users"].join(by_user, on="user_id", how="left")
    return joined.withColumns({"bought": F.coalesce("bought", F.lit(0)), "seen": F.col("seen").isNotNull()})


def _tracks(tables: Mapping[str, DataFrame]) -> DataFrame:
    plays = tables["events"].where(F.col("event_type") == schemas.PLAY) if "events" in tables else None
    df = _with_namesakes(tables["tracks"])
    df = _with_known(df, "id", plays, "track_id", "played")
    df = _with_known(df, "id", tables.get("track_storage"), "track_id", "stored")
    return _with_known(df, "id_artist", tables.get("artists"), "id", "artist_known")


def _events(tables: Mapping[str, DataFrame]) -> DataFrame:
    events = tables["events"]
    bought = (
        events.where(F.col("event_type") == schemas.BUY_PREMIUM)
        .groupBy("user_id")
        .agg(F.min("event_time").alias("user_bought_at"))
    )
    df = events.join(F.broadcast(bought), on="user_id", how="left")
    df = _with_known(df, "user_id", tables.get("users"), "user_id", "user_known")
    return _with_known(df, "track_id", tables.get("tracks"), "id", "track_known")


def _across_events(events: DataFrame) -> list[Finding]:
    """Checks whose grain is not the event: repeated likes, shared sessions, the length of history."""
    likes = events.where(F.col("event_type") == schemas.LIKE).groupBy("user_id", "track_id").count()
    liked = likes.agg(F.count_if(F.col("count") > 1), F.count("*")).first()
    sessions = events.groupBy("session_id").agg(F.min("user_id").alias("low"), F.max("user_id").alias("high"))
    shared = sessions.agg(F.count_if(F.col("low") != F.col("high")), F.count("*")).first()
    span = events.agg(F.count_distinct("event_month"), F.count("*")).first()
    assert liked is not None
    assert shared is not None
    assert span is not None
    short = c.WARN if span[0] < _SHORT_HISTORY_MONTHS else c.OK
    return [
        Finding("events", "like repeated", _found(liked[0], c.WARN), liked[0], liked[1],
                "a like is once and for life; total: users × liked tracks"),
        Finding("events", "session of several users", _found(shared[0], c.ERROR), shared[0], shared[1],
                "a session has one user; total: sessions"),
        Finding("events", "months of history", short, span[0], span[1],
                f"fewer than {_SHORT_HISTORY_MONTHS} tell nothing of seasons; total: events"),
    ]  # fmt: skip


def _with_namesakes(df: DataFrame) -> DataFrame:
    names = df.groupBy("name").agg(F.count("*").alias("namesakes"))
    return df.join(names, on="name", how="left")


def _with_known(df: DataFrame, key: str, other: DataFrame | None, other_key: str, name: str) -> DataFrame:
    """`df` with `name`: whether `key` is found in `other`; null if there is no key, or no other table."""
    if other is None:
        return df.withColumns({name: F.lit(None).cast("boolean")})
    # identifiers of a catalogue are few beside events; a shuffle of all events would cost far more
    known = F.broadcast(other.select(F.col(other_key).alias("_key")).distinct())
    found: Column = F.when(F.col(key).isNotNull(), F.col("_key").isNotNull())
    return df.join(known, F.col(key) == F.col("_key"), "left").withColumns({name: found}).drop("_key")


def _found(rows: int, severity: str) -> str:
    return severity if rows else c.OK
