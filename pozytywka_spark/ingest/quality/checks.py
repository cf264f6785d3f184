"""Checks of silver tables: each a name, what it means, how bad it is; counted in parts that add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark import schemas
from pozytywka_spark.ingest.quality.spark_text import as_spelt

OK, INFO, WARN, ERROR = "ok", "info", "warn", "error"
COLUMN = "column "  # how the name of a finding begins that describes a column


@dataclass(frozen=True)
class Check:
    """Counts the rows of one table where `found` is true; `severity` applies if there is one.

    `common` turns it around: the row class is expected, and too few of it is what is wrong.
    `weight` counts what a row stands for instead of the row: of a user, say, that user's events.
    `brought` says by which of its keys other rows are brought beside it first (see check_list.py); empty:
    the row itself answers.
    """

    entity: str
    name: str
    severity: str
    meaning: str
    found: pl.Expr
    common: float | None = None
    weight: pl.Expr | None = None
    brought: str = ""


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


@dataclass(frozen=True)
class Tally:
    """What was counted of a check in some rows; tallies of other rows add to it.

    `low` and `high` are the least and greatest key found, as text. Of a column: `rows` are the nulls, `low`
    and `high` bound its values (numbers as they are, dates as ISO text, times in microseconds).
    """

    rows: int = 0
    total: int = 0
    low: Any = None
    high: Any = None

    def __add__(self, other: Tally) -> Tally:
        lows = [low for low in (self.low, other.low) if low is not None]
        highs = [high for high in (self.high, other.high) if high is not None]
        return Tally(
            self.rows + other.rows,
            self.total + other.total,
            min(lows, default=None),
            max(highs, default=None),
        )


# by entity and name of the check, or of the column with COLUMN before it
Partial = Mapping[tuple[str, str], Tally]


def add_up(partials: Iterable[Partial]) -> dict[tuple[str, str], Tally]:
    """One partial of many, in any order."""
    total: dict[tuple[str, str], Tally] = {}
    for partial in partials:
        for name, tally in partial.items():
            total[name] = total[name] + tally if name in total else tally
    return total


def as_result(partial: Partial) -> list[list[Any]]:
    """A partial as JSON values: what a task yields."""
    return [[*name, tally.rows, tally.total, tally.low, tally.high] for name, tally in partial.items()]


def from_result(rows: Iterable[Sequence[Any]]) -> dict[tuple[str, str], Tally]:
    """The partial that `as_result` made these of."""
    return {(entity, name): Tally(*rest) for entity, name, *rest in rows}


def tally_checks(
    rows: pl.DataFrame, key: str, checks: Sequence[Check], own: pl.Expr | None = None
) -> dict[tuple[str, str], Tally]:
    """All checks over rows in one pass.

    `own` is false of rows that an outer join put beside the table's: they count only for checks with
    a `weight`.
    """
    own_weight = own.cast(pl.Int64) if own is not None else pl.lit(1, pl.Int64)
    columns, counts = [pl.col(key).cast(pl.String).alias("key")], []
    for number, check in enumerate(checks):
        weight, hits = pl.col(f"weight_{number}"), pl.col(f"found_{number}")
        hit = pl.col("key").filter(hits & (weight > 0))
        columns += [
            (own_weight if check.weight is None else check.weight).alias(f"weight_{number}"),
            check.found.alias(f"found_{number}"),
        ]
        counts += [
            weight.filter(hits).sum().alias(f"rows_{number}"),
            weight.sum().alias(f"total_{number}"),
            hit.min().alias(f"low_{number}"),
            hit.max().alias(f"high_{number}"),
        ]
    result = rows.lazy().select(columns).select(counts).collect().row(0, named=True)
    parts = ("rows", "total", "low", "high")
    return {
        (check.entity, check.name): Tally(*(result[f"{part}_{number}"] for part in parts))
        for number, check in enumerate(checks)
    }


def tally_columns(rows: pl.DataFrame, table: schemas.Table) -> dict[tuple[str, str], Tally]:
    """Nulls and bounds of each column of the table; bounds of numbers, dates and times only."""
    return {
        (table.name, f"{COLUMN}{field.name}"): Tally(
            rows[field.name].null_count(), rows.height, *_bounds(rows[field.name])
        )
        for field in table.schema
    }


def _bounds(values: pl.Series) -> tuple[Any, Any]:
    if not values.dtype.is_numeric() and not values.dtype.is_temporal():
        return None, None
    if values.dtype == pl.Datetime:
        values = values.dt.epoch("us")
    low, high = values.min(), values.max()
    return (
        (low.isoformat(), high.isoformat())
        if isinstance(low, date) and isinstance(high, date)
        else (low, high)
    )


def findings_of(checks: Sequence[Check], partial: Partial) -> list[Finding]:
    """What checks found in all rows, in their order."""
    return [finding_of(check, partial.get((check.entity, check.name), Tally())) for check in checks]


def finding_of(check: Check, tally: Tally) -> Finding:
    """What a check found: `rows` of `total`; its examples are the least and the greatest key."""
    rows, total = tally.rows, tally.total
    wrong = rows > 0 if check.common is None else total > 0 and rows < check.common * total
    examples = dict.fromkeys(key for key in (tally.low, tally.high) if key is not None)
    shown = tuple(examples) if check.common is None else ()
    return Finding(
        check.entity, check.name, check.severity if wrong else OK, rows, total, check.meaning, shown
    )


def column_findings(table: schemas.Table, partial: Partial) -> list[Finding]:
    """Nulls and range of each column of the table, in their order."""
    return [
        column_finding(
            table.name,
            field.name,
            partial.get((table.name, f"{COLUMN}{field.name}"), Tally()),
            field.dataType.simpleString(),
        )
        for field in table.schema
    ]


def column_finding(entity: str, name: str, tally: Tally, kind: str) -> Finding:
    """How many rows lack a column, and from where to where its values go (of numbers and times)."""
    meaning = "null"
    if tally.low is not None:
        low, high = as_spelt(tally.low, kind), as_spelt(tally.high, kind)
        meaning += f"; values from {low} to {high}"
    return Finding(entity, f"{COLUMN}{name}", OK, tally.rows, tally.total, meaning)
