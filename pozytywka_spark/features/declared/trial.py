"""Somebody's own entries tried on a few made rows, before a build begins: do they yield a number a row."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import product

import polars as pl

from pozytywka_spark.errors import UsageError
from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.features.declared.levels import COLUMNS, KEYS
from pozytywka_spark.features.declared.values import Measure
from pozytywka_spark.features.times import cut_off_of

_USERS, _MONTHS = (3, 5, 8), (1, 2, 4, 7)
_LIKE = 1e-9  # a double's last bits may depend on how many rows are reckoned at once


def try_measure(measure: Measure) -> None:
    """Raise `UsageError` unless the aggregate yields one whole number a user's month."""
    rows, made = _rows(COLUMNS[measure.level]), measure.aggregate().cast(pl.Int64).alias("made")
    if measure.level == "user":
        _try_by_row(measure, rows, made)
        return
    try:
        numbers = rows.group_by("user_id", "month").agg(made).get_column("made")
    except pl.exceptions.PolarsError as error:
        raise _cannot(measure, error) from error
    if numbers.dtype != pl.Int64:
        raise UsageError(f"{measure.name} aggregates nothing: it must yield one whole number a user's month")


def try_feature(feature: Feature, columns: Sequence[str]) -> None:
    """Raise `UsageError` unless the expression yields a number a row, of the row's own `columns` alone.

    A build goes by slices of users: what other rows there are is chance.
    """
    _try_by_row(feature, _rows(columns), feature.expression().cast(pl.Float64).alias("made"))


def _try_by_row(entry: Feature | Measure, rows: pl.DataFrame, made: pl.Expr) -> None:
    others = [f"_{name}" for name in rows.columns]
    beside = rows.with_columns(pl.all().name.prefix("_")).select(*reversed(others), *reversed(rows.columns))
    try:
        together = _made(rows, made)
        alone = [value for row in rows.iter_slices(1) for value in _made(row, made)]
        backwards = _made(beside.reverse(), made)[::-1]
    except pl.exceptions.PolarsError as error:
        raise _cannot(entry, error) from error
    if not _alike(together, alone) or not _alike(together, backwards):
        raise UsageError(
            f"{entry.name} isn't made of its own row's columns by their names alone: other rows, "
            "and columns that nobody names, aren't the same in every build"
        )


def _made(rows: pl.DataFrame, made: pl.Expr) -> list[float | None]:
    return rows.select("user_id", made).get_column("made").to_list()


def _alike(values: Sequence[float | None], others: Sequence[float | None]) -> bool:
    return len(values) == len(others) and all(
        one == other
        or (one is not None and other is not None and math.isnan(one) and math.isnan(other))
        or (one is not None and other is not None and math.isclose(one, other, rel_tol=_LIKE))
        for one, other in zip(values, others, strict=True)
    )


def _rows(columns: Iterable[str]) -> pl.DataFrame:
    """Three users' months, a row each; other columns hold small numbers above 0."""
    keys = [(user, date(2023, month, 1)) for user, month in product(_USERS, _MONTHS)]
    frame = pl.DataFrame(keys, {"user_id": pl.Int64, "month": pl.Date}, orient="row")
    named = [name for name in columns if name not in KEYS]
    numbers = {
        name: pl.Series([1 + (7 * row + 3 * place) % 11 for row in range(frame.height)], dtype=pl.Int64)
        for place, name in enumerate(named)
    }
    made = frame.with_columns(cut_off=cut_off_of(pl.col("month"))).with_columns(**numbers)
    return made.with_columns(pl.col("kind") % 5) if "kind" in named else made


def _cannot(entry: Feature | Measure, error: Exception) -> UsageError:
    return UsageError(
        f"{entry.name} can't be computed ({type(error).__name__}: {' '.join(str(error).split())})"
    )
