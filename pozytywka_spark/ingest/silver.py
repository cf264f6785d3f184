"""A look at silver: few passes over its tables, from which all checks and all plots are told.

Events are read for what stands beside users, tracks, sessions and months, each read aggregating
before it shuffles; what is left is small. The passes don't wait for each other, so that Spark's
slots are busy while the next one is planned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.config import Data
from pozytywka_spark.datadays import count_days
from pozytywka_spark.ingest import checks as c
from pozytywka_spark.ingest import distributions as d
from pozytywka_spark.ingest.checks import Check, Finding
from pozytywka_spark.ingest.spanned import Spanned, span_findings, spanned
from pozytywka_spark.lake.api import Lake

_AT_ONCE = 4
_SHORT_HISTORY_MONTHS = 12

Tables = Mapping[str, DataFrame]


@dataclass(frozen=True)
class Silver:
    """What was seen: findings on tables that are there, and the counts behind the plots; `span` is None
    without events."""

    findings: tuple[Finding, ...]
    span: Spanned | None
    tracks: d.Buckets
    months: d.Months
    sessions: d.Buckets


def look(spark: SparkSession, lake: Lake, chosen: Data | None = None) -> Silver:
    """Every check of every table that is there, among them those that look across tables."""
    tables = {table.name: lake.read(table.name) for table in schemas.SILVER if lake.exists(table.name)}
    passes: dict[str, Callable[[], list[Finding]]] = {
        "users": lambda: _users(tables),
        "artists": lambda: _artists(tables),
        "tracks": lambda: _tracks(tables),
        "track_storage": lambda: _storage(tables),
        "events": lambda: [*_likes(tables["events"]), *_late_adverts(tables["events"])],
    }
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        # the longest first
        session_rows = threads.submit(_session_rows, tables)
        month_rows = threads.submit(_month_rows, tables)
        days = threads.submit(lambda: count_days(tables["events"]) if "events" in tables else {})
        running = [threads.submit(look_at) for name, look_at in reversed(passes.items()) if name in tables]
        track_buckets = threads.submit(_track_buckets, tables)
        found = [finding for each in reversed(running) for finding in each.result()]
        months, sessions = month_rows.result(), session_rows.result()
    span = spanned(days.result(), chosen or Data())
    # one stray clock would stretch the plot over decades
    within = [row for row in months if span is not None and span.span.holds(row.month)]
    if "events" in tables:
        history = len({row.month for row in within})
        found += [*_of_months(months, history), *_of_sessions(sessions)]
    if span is not None:
        found += span_findings(span)
    return Silver(tuple(found), span, track_buckets.result(), d.as_months(within), d.as_buckets(sessions))


def _users(tables: Tables) -> list[Finding]:
    """Users beside their events; events of nobody are found on the other side of the join."""
    if "events" not in tables:
        nothing = F.lit(None).cast("bigint")
        df = tables["users"].withColumns({"bought": nothing, "events": nothing})
        return c.run_checks(df, "user_id", c.user_checks(), schemas.USERS)
    bought = F.count_if(F.col("event_type") == schemas.BUY_PREMIUM).alias("bought")
    by_user = tables["events"].groupBy("user_id").agg(bought, F.count("*").alias("events"))
    both = _beside(tables["users"], by_user, "user_id", ("bought", "events"))
    orphans = _orphans("user unknown", "orphans: no such user; examples: users")
    return c.run_checks(both, "user_id", [*c.user_checks(), orphans], schemas.USERS, F.col("own"))


def _tracks(tables: Tables) -> list[Finding]:
    df = _with_namesakes(tables["tracks"])
    df = _with_known(df, "id", tables.get("track_storage"), "track_id", "stored")
    df = _with_known(df, "id_artist", tables.get("artists"), "id", "artist_known")
    if "events" not in tables:
        df = df.withColumns({"plays": F.lit(None).cast("bigint")})
        return c.run_checks(df, "id", c.track_checks(), schemas.TRACKS)
    plays = F.count_if(F.col("event_type") == schemas.PLAY).alias("plays")
    with_track = tables["events"].where(F.col("track_id").isNotNull())
    by_track = with_track.groupBy(F.col("track_id").alias("id")).agg(plays, F.count("*").alias("events"))
    both = _beside(df, by_track, "id", ("plays", "events"))
    orphans = _orphans("track unknown", "orphans: no such track; examples: tracks")
    return c.run_checks(both, "id", [*c.track_checks(), orphans], schemas.TRACKS, F.col("own"))


def _artists(tables: Tables) -> list[Finding]:
    return c.run_checks(_with_namesakes(tables["artists"]), "id", c.artist_checks(), schemas.ARTISTS)


def _storage(tables: Tables) -> list[Finding]:
    df = _with_known(tables["track_storage"], "track_id", tables.get("tracks"), "id", "track_known")
    return c.run_checks(df, "track_id", c.storage_checks(), schemas.TRACK_STORAGE)


def _likes(events: DataFrame) -> list[Finding]:
    likes = events.where(F.col("event_type") == schemas.LIKE).groupBy("user_id", "track_id").count()
    row = likes.agg(F.count_if(F.col("count") > 1), F.count("*")).first()
    assert row is not None
    meaning = "a like is once and for life; total: users × liked tracks"
    return [Finding("events", "like repeated", _found(row[0], c.WARN), row[0], row[1], meaning)]


def _late_adverts(events: DataFrame) -> list[Finding]:
    """Buyers are few: their first purchases are broadcast to the adverts."""
    bought = (
        events.where(F.col("event_type") == schemas.BUY_PREMIUM)
        .groupBy("user_id")
        .agg(F.min("event_time").alias("bought_at"))
    )
    adverts = events.where(F.col("event_type") == schemas.ADVERTISEMENT).select("user_id", "event_time")
    late = F.col("event_time") > F.col("bought_at")
    df = adverts.join(F.broadcast(bought), on="user_id", how="left")
    row = df.agg(F.count_if(late), F.count("*")).first()
    assert row is not None
    meaning = "adverts stop once premium is bought; total: adverts"
    return [Finding("events", "advert after the purchase", _found(row[0], c.WARN), row[0], row[1], meaning)]


def _month_rows(tables: Tables) -> list[d.MonthRow]:
    return d.month_rows(tables["events"]) if "events" in tables else []


def _session_rows(tables: Tables) -> list[d.SessionRow]:
    return d.session_rows(tables["events"], tables.get("users")) if "events" in tables else []


def _track_buckets(tables: Tables) -> d.Buckets:
    return d.track_buckets(tables["tracks"]) if "tracks" in tables else {}


def _of_months(rows: list[d.MonthRow], history: int) -> list[Finding]:
    """What events by type and month tell: classes, repairs, the length of history in months."""
    total = sum(row.events for row in rows)
    of_type = {kind: sum(row.events for row in rows if row.kind == kind) for kind in schemas.EVENT_TYPES}
    adverts, purchases = of_type[schemas.ADVERTISEMENT], of_type[schemas.BUY_PREMIUM]
    repaired, trackless = sum(row.repaired for row in rows), sum(row.trackless for row in rows)
    short = c.WARN if history < _SHORT_HISTORY_MONTHS else c.OK
    few = (
        c.WARN if adverts < 0.01 * total else c.OK,
        c.WARN if purchases < 0.0005 * total else c.OK,
    )
    first, last = min((r.first for r in rows), default=None), max((r.last for r in rows), default=None)
    return [
        *(
            Finding("events", f"class {kind}", c.OK, of_type[kind], total, "events of this type")
            for kind in (schemas.PLAY, schemas.SKIP, schemas.LIKE)
        ),
        Finding("events", "adverts", few[0], adverts, total, "under 1% of events: too few to learn from"),
        Finding("events", "purchases", few[1], purchases, total,
                "under 0.05% of events: too few to learn from"),
        Finding("events", "repaired", _found(repaired, c.INFO), repaired, total,
                "a field was told by its session"),
        Finding("events", "advert or purchase without track", _found(trackless, c.INFO), trackless, total,
                "as it should be: adverts come from the cloud"),
        Finding("events", "months of history", short, history, total,
                f"fewer than {_SHORT_HISTORY_MONTHS} tell nothing of seasons; total: events"),
        c.column_finding("events", "event_time", 0, total, (first, last)),
        c.column_finding("events", "track_id", trackless, total, (None, None)),
    ]  # fmt: skip


def _of_sessions(rows: list[d.SessionRow]) -> list[Finding]:
    shared, total = sum(row.shared for row in rows), sum(row.sessions for row in rows)
    meaning = "a session has one user; total: sessions"
    return [Finding("events", "session of several users", _found(shared, c.ERROR), shared, total, meaning)]


def _orphans(name: str, meaning: str) -> Check:
    """Events whose key the table lacks; each key stands for its events."""
    return Check("events", name, c.ERROR, meaning, ~F.col("own"), weight=F.col("events"))


def _beside(table: DataFrame, counts: DataFrame, key: str, names: tuple[str, ...]) -> DataFrame:
    """Both sides by key: `own` is false where only the counts have it, counts are 0 where they don't."""
    both = table.withColumns({"own": F.lit(True)}).join(counts, on=key, how="full")
    return both.withColumns(
        {"own": F.coalesce("own", F.lit(False)), **{name: F.coalesce(name, F.lit(0)) for name in names}}
    )


def _with_namesakes(df: DataFrame) -> DataFrame:
    names = df.groupBy("name").agg(F.count("*").alias("namesakes"))
    return df.join(names, on="name", how="left")


def _with_known(df: DataFrame, key: str, other: DataFrame | None, other_key: str, name: str) -> DataFrame:
    """`df` with `name`: whether `key` is found in `other`; null if there is no key, or no other table."""
    if other is None:
        return df.withColumns({name: F.lit(None).cast("boolean")})
    known = other.select(F.col(other_key).alias("_key")).distinct()
    found: Column = F.when(F.col(key).isNotNull(), F.col("_key").isNotNull())
    return df.join(known, F.col(key) == F.col("_key"), "left").withColumns({name: found}).drop("_key")


def _found(rows: int, severity: str) -> str:
    return severity if rows else c.OK
