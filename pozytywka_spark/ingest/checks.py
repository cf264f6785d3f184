"""Checks of silver tables: each a name, what it means, and how bad it is; one pass a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pozytywka_spark import schemas

OK, INFO, WARN, ERROR = "ok", "info", "warn", "error"
COLUMN = "column "  # how the name of a finding begins that describes a column
_EXAMPLES = 3


@dataclass(frozen=True)
class Check:
    """Counts the rows of one table where `found` holds; `severity` applies if there is one.

    `common` turns it around: the row class is expected, and too few of it is what is wrong.
    `weight` counts what a row stands for instead of the row: of a user, say, that user's events.
    """

    entity: str
    name: str
    severity: str
    meaning: str
    found: Column
    common: float | None = None
    weight: Column | None = None


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


def run_checks(
    df: DataFrame,
    key: str,
    checks: Sequence[Check],
    table: schemas.Table,
    own: Column | None = None,
) -> list[Finding]:
    """All checks of a table in one pass, with the nulls and the range of each of its columns.

    `own` is false of rows that an outer join put beside the table's: they count only for checks with
    a `weight`.
    """
    own = own if own is not None else F.lit(True)
    counted = [check.weight if check.weight is not None else own.cast("bigint") for check in checks]
    columns = [F.count_if(own).alias("total")]
    for number, (check, weight) in enumerate(zip(checks, counted, strict=True)):
        hit = F.when(check.found & (weight > 0), F.col(key).cast("string"))
        columns += [
            F.coalesce(F.sum(F.when(check.found, weight)), F.lit(0)).alias(f"rows_{number}"),
            F.coalesce(F.sum(weight), F.lit(0)).alias(f"total_{number}"),
            F.array_distinct(F.array_compact(F.array(F.min(hit), F.max(hit)))).alias(f"examples_{number}"),
        ]
    for field in table.schema:
        columns += _profile(field, own)
    result = df.agg(*columns).first()
    assert result is not None  # an aggregate without groups has one row, whatever it is of
    found = [
        finding_of(check, result[f"rows_{n}"], result[f"total_{n}"], result[f"examples_{n}"])
        for n, check in enumerate(checks)
    ]
    ranges = [
        column_finding(table.name, name, result[f"nulls_{name}"], result["total"], result[f"range_{name}"])
        for name in table.columns
    ]
    return found + ranges


def finding_of(check: Check, rows: int, total: int, examples: Sequence[str] = ()) -> Finding:
    """What a check found: `rows` of `total`."""
    wrong = rows > 0 if check.common is None else total > 0 and rows < check.common * total
    severity = check.severity if wrong else OK
    shown = tuple(examples)[:_EXAMPLES] if check.common is None else ()
    return Finding(check.entity, check.name, severity, rows, total, check.meaning, shown)


def column_finding(entity: str, name: str, nulls: int, total: int, bounds: Sequence[str | None]) -> Finding:
    """How many rows lack a column, and from where to where its values go (of numbers and times)."""
    low, high = bounds
    meaning = f"null; values from {low} to {high}" if low is not None else "null"
    return Finding(entity, f"{COLUMN}{name}", OK, nulls, total, meaning)


def _profile(field: T.StructField, own: Column) -> list[Column]:
    """Nulls and bounds of a column of the table."""
    value = F.when(own, F.col(field.name))
    ordered = not isinstance(field.dataType, (T.StringType, T.ArrayType, T.BooleanType))
    low, high = (f(value).cast("string") if ordered else F.lit(None).cast("string") for f in (F.min, F.max))
    nulls = F.count_if(own & F.col(field.name).isNull())
    return [nulls.alias(f"nulls_{field.name}"), F.array(low, high).alias(f"range_{field.name}")]


def user_checks() -> list[Check]:
    """Of users beside what they did: `events`, `bought` (purchases); null if events are not there."""
    flag, bought, entity = F.col("premium_user"), F.col("bought"), "users"
    return [
        Check(entity, "favourite genres null", WARN, "users of unknown taste",
              F.col("favourite_genres").isNull()),
        Check(entity, "premium flag null", WARN, "users of whom it isn't known if they pay", flag.isNull()),
        Check(entity, "premium flag false", WARN, "a flag that is never false tells nothing", ~flag, 1e-9),
        Check(entity, "premium without purchase", WARN, "premium users with no BUY_PREMIUM event",
              flag & (bought == 0)),
        Check(entity, "purchase without premium", WARN, "buyers whose premium flag is not set",
              ~flag & (bought > 0)),
        Check(entity, "several purchases", WARN, "premium is bought once, for life", bought > 1),
        Check(entity, "without events", INFO, "users who have done nothing yet", F.col("events") == 0),
        Check(entity, "other than 3 favourite genres", INFO, "genres per user: three as a rule",
              F.size("favourite_genres") != 3),
        _class(entity, "class premium", "users with the premium flag", flag),
    ]  # fmt: skip


def artist_checks() -> list[Check]:
    """Of artists with `namesakes` (artists of that name)."""
    entity = "artists"
    return [
        Check(entity, "genres null", WARN, "their plays count for no genre", F.col("genres").isNull()),
        Check(entity, "name shared", INFO, "several artists of one name", F.col("namesakes") > 1),
    ]


def track_checks() -> list[Check]:
    """Of tracks with `namesakes`, `plays`, `stored`, `artist_known` (null without the other table)."""
    precision, entity = F.col("release_date_precision"), "tracks"
    silent = reduce(Column.__and__, (F.col(name).isNull() for name in schemas.AUDIO_FEATURES))
    return [
        Check(entity, "artist null", WARN, "tracks without an artist have no genre",
              F.col("id_artist").isNull()),
        Check(entity, "artist unknown", WARN, "orphans: no such artist", ~F.col("artist_known")),
        Check(entity, "storage unknown", WARN, "no storage class or cost", ~F.col("stored")),
        Check(entity, "audio features unknown", WARN, "all of them delivered as zero, so null", silent),
        Check(entity, "tempo unknown", INFO, "delivered as 0, so null", F.col("tempo").isNull()),
        Check(entity, "louder than 0 dB", INFO, "possible after mastering, but rare", F.col("loudness") > 0),
        Check(entity, "instrumentalness zero", INFO, "a peak, not a mistake: sung throughout",
              F.col("instrumentalness") == 0),
        Check(entity, "popularity zero", INFO, "a peak: nobody plays them now", F.col("popularity") == 0),
        Check(entity, "release date to the year", INFO, "taken as 1 January", precision == "year"),
        Check(entity, "release date to the month", INFO, "taken as the first", precision == "month"),
        Check(entity, "release date null", WARN, "of unknown age", F.col("release_date").isNull()),
        Check(entity, "longer than 2 hours", WARN, "hardly a track", F.col("duration_ms") > 7_200_000),
        Check(entity, "never played", INFO, "most of a catalogue is", F.col("plays") == 0),
        Check(entity, "name shared", INFO, "several tracks of one name", F.col("namesakes") > 1),
    ]  # fmt: skip


def storage_checks() -> list[Check]:
    """Of track storage with `track_known` (null if tracks are not there)."""
    stored, entity = F.col("storage_class"), "track_storage"
    return [
        _class(entity, "class SLOW", "kept on slow disks", stored == "SLOW"),
        Check(entity, "class MEDIUM", INFO, "under 5%: rare", stored == "MEDIUM", 0.05),
        Check(entity, "class FAST", WARN, "under 1%: too rare to learn from", stored == "FAST", 0.01),
        Check(entity, "track unknown", WARN, "orphans: no such track", ~F.col("track_known")),
    ]


def _class(entity: str, name: str, meaning: str, found: Column, weight: Column | None = None) -> Check:
    """How common a class is; none is too rare."""
    return Check(entity, name, OK, meaning, found, 0.0, weight)
