"""Checks of silver tables: each a name, what it means, and how bad it is; one pass a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark import schemas

OK, INFO, WARN, ERROR = "ok", "info", "warn", "error"
_EXAMPLES = 3


@dataclass(frozen=True)
class Check:
    """Counts the rows of one table where `found` holds; `severity` applies if there is one.

    `common` turns it around: the row class is expected, and too few of it is what is wrong.
    """

    entity: str
    name: str
    severity: str
    meaning: str
    found: Column
    common: float | None = None


@dataclass(frozen=True)
class Finding:
    """The outcome of a check: `severity` is ok if nothing is wrong; `examples` are keys, never personal."""

    entity: str
    check: str
    severity: str
    rows: int
    total: int
    meaning: str
    examples: tuple[str, ...] = ()

    @property
    def rate(self) -> float | None:
        """Share of all rows, from 0 to 1."""
        return self.rows / self.total if self.total else None


def run_checks(df: DataFrame, key: str, checks: Sequence[Check]) -> list[Finding]:
    """All checks of a table in one pass."""
    columns = [F.count("*").alias("total")]
    for number, check in enumerate(checks):
        hit = F.when(check.found, F.col(key).cast("string"))
        columns += [
            F.count_if(check.found).alias(f"rows_{number}"),
            F.array_distinct(F.array_compact(F.array(F.min(hit), F.max(hit)))).alias(f"examples_{number}"),
        ]
    result = df.agg(*columns).first()
    if result is None:
        return []
    return [
        _finding(check, result[f"rows_{n}"], result["total"], result[f"examples_{n}"])
        for n, check in enumerate(checks)
    ]


def _finding(check: Check, rows: int, total: int, examples: Sequence[str]) -> Finding:
    wrong = rows > 0 if check.common is None else total > 0 and rows < check.common * total
    severity = check.severity if wrong else OK
    shown = tuple(examples)[:_EXAMPLES] if check.common is None else ()
    return Finding(check.entity, check.name, severity, rows, total, check.meaning, shown)


def user_checks() -> list[Check]:
    """Of users with `bought` (purchases, null if events are not there) and `seen` (has events)."""
    flag, bought = F.col("premium_user"), F.col("bought")
    return [
        _check(
            "users",
            "favourite genres null",
            WARN,
            "users of unknown taste",
            F.col("favourite_genres").isNull(),
        ),
        _check("users", "premium flag null", WARN, "users of whom it isn't known if they pay", flag.isNull()),
        Check(
            "users",
            "premium flag false",
            WARN,
            "a flag that is never false tells nothing",
            flag == F.lit(False),
            1e-9,
        ),
        _check(
            "users",
            "premium without purchase",
            WARN,
            "premium users with no BUY_PREMIUM event",
            flag & (bought == 0),
        ),
        _check(
            "users",
            "purchase without premium",
            WARN,
            "buyers whose premium flag is not set",
            ~flag & (bought > 0),
        ),
        _check("users", "several purchases", WARN, "premium is bought once, for life", bought > 1),
        _check("users", "without events", INFO, "users who have done nothing yet", ~F.col("seen")),
        _check(
            "users",
            "other than 3 favourite genres",
            INFO,
            "genres per user: three as a rule",
            F.size("favourite_genres") != 3,
        ),
    ]


def artist_checks() -> list[Check]:
    """Of artists with `namesakes` (artists of that name)."""
    return [
        _check("artists", "genres null", WARN, "their plays count for no genre", F.col("genres").isNull()),
        _check("artists", "name shared", INFO, "several artists of one name", F.col("namesakes") > 1),
    ]


def track_checks() -> list[Check]:
    """Of tracks with `namesakes`, `played`, `stored`, `artist_known` (null without the other table)."""
    precision, silent = F.col("release_date_precision"), F.lit(True)
    for name in schemas.AUDIO_FEATURES:
        silent = silent & F.col(name).isNull()
    return [
        _check(
            "tracks",
            "artist null",
            WARN,
            "tracks without an artist have no genre",
            F.col("id_artist").isNull(),
        ),
        _check("tracks", "artist unknown", WARN, "orphans: no such artist", ~F.col("artist_known")),
        _check("tracks", "storage unknown", WARN, "no storage class or cost", ~F.col("stored")),
        _check("tracks", "audio features unknown", WARN, "all of them delivered as zero, so null", silent),
        _check("tracks", "tempo unknown", INFO, "delivered as 0, so null", F.col("tempo").isNull()),
        _check(
            "tracks", "louder than 0 dB", INFO, "possible after mastering, but rare", F.col("loudness") > 0
        ),
        _check(
            "tracks",
            "instrumentalness zero",
            INFO,
            "a peak, not a mistake: sung throughout",
            F.col("instrumentalness") == 0,
        ),
        _check("tracks", "popularity zero", INFO, "a peak: nobody plays them now", F.col("popularity") == 0),
        _check("tracks", "release date to the year", INFO, "taken as 1 January", precision == "year"),
        _check("tracks", "release date to the month", INFO, "taken as the first", precision == "month"),
        _check("tracks", "release date null", WARN, "of unknown age", F.col("release_date").isNull()),
        _check("tracks", "longer than 2 hours", WARN, "hardly a track", F.col("duration_ms") > 7_200_000),
        _check("tracks", "never played", INFO, "most of a catalogue is", ~F.col("played")),
        _check("tracks", "name shared", INFO, "several tracks of one name", F.col("namesakes") > 1),
    ]


def storage_checks() -> list[Check]:
    """Of track storage with `track_known` (null if tracks are not there)."""
    stored = F.col("storage_class")
    return [
        Check(
            "track_storage", "class FAST", WARN, "under 1%: too rare to learn from", stored == "FAST", 0.01
        ),
        Check("track_storage", "class MEDIUM", INFO, "under 5%: rare", stored == "MEDIUM", 0.05),
        _check("track_storage", "track unknown", WARN, "orphans: no such track", ~F.col("track_known")),
    ]


def event_checks() -> list[Check]:
    """Of events with `user_bought_at`, `user_known`, `track_known` (null without the other table)."""
    kind = F.col("event_type")
    trackless = kind.isin(schemas.ADVERTISEMENT, schemas.BUY_PREMIUM)
    late_advert = (kind == schemas.ADVERTISEMENT) & (F.col("event_time") > F.col("user_bought_at"))
    return [
        _check("events", "user unknown", ERROR, "orphans: no such user", ~F.col("user_known")),
        _check("events", "track unknown", ERROR, "orphans: no such track", ~F.col("track_known")),
        _check("events", "repaired", INFO, "a field was told by its session", F.col("repaired")),
        _check(
            "events",
            "advert or purchase without track",
            INFO,
            "as it should be: adverts come from the cloud",
            trackless & F.col("track_id").isNull(),
        ),
        _check(
            "events", "advert after the purchase", WARN, "adverts stop once premium is bought", late_advert
        ),
        Check(
            "events",
            "adverts",
            WARN,
            "under 1% of events: too few to learn from",
            kind == schemas.ADVERTISEMENT,
            0.01,
        ),
        Check(
            "events",
            "purchases",
            WARN,
            "under 0.05% of events: too few to learn from",
            kind == schemas.BUY_PREMIUM,
            0.0005,
        ),
    ]


def _check(entity: str, name: str, severity: str, meaning: str, found: Column) -> Check:
    return Check(entity, name, severity, meaning, found)
