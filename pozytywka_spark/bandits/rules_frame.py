"""The rules as Polars expressions: they mean what `rules` says."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import Any

import polars as pl

from pozytywka_spark.bandits.rules import (
    COMPARED,
    KNOWN,
    NUMBER,
    ONE_OF,
    TEXT,
    TRUTH,
    UNKNOWN,
    Rule,
    Rules,
    absent,
    mismatch,
)


def with_eligible(users: pl.DataFrame, arms: Sequence[str], rules: Rules) -> pl.DataFrame:
    """The users with `eligible`: the arms that each may be shown, in the order of `arms`.

    Raises `DataError` naming a rule whose column isn't there or holds another type.
    """
    allowed = [
        pl.when(rule_holds(rules.get(arm, ()), users.schema)).then(pl.lit(arm, pl.String)) for arm in arms
    ]
    if not allowed:
        return users.with_columns(eligible=pl.lit([], pl.List(pl.String)))
    return users.with_columns(eligible=pl.concat_list(allowed).list.drop_nulls())


def rule_holds(rules: Sequence[Rule], schema: pl.Schema) -> pl.Expr:
    """Whether all of the rules hold of a row; never null."""
    return reduce(and_, (_holds(rule, schema) for rule in rules), pl.lit(value=True))


def _holds(rule: Rule, schema: pl.Schema) -> pl.Expr:
    if rule.column not in schema:
        raise absent(rule, list(schema))
    dtype = schema[rule.column]
    column = pl.col(rule.column)
    is_unknown = column.is_null()
    if dtype.is_float():
        is_unknown = is_unknown | column.is_nan()
    if rule.op in (KNOWN, UNKNOWN):
        return is_unknown if rule.op == UNKNOWN else ~is_unknown
    held = _type_of(dtype)
    if dtype != pl.Null and held != rule.type:
        raise mismatch(rule, str(dtype))
    if dtype == pl.Null:
        return pl.lit(value=False)
    column = column.cast({TEXT: pl.String, NUMBER: pl.Float64, TRUTH: pl.Boolean}[str(held)])
    if rule.op == ONE_OF:
        compared: Any = column.is_in(list(rule.values))
    else:
        compared = COMPARED[rule.op](column, pl.lit(rule.values[0]))
    holds: pl.Expr = compared & ~is_unknown
    return holds.fill_null(value=False)


def _type_of(dtype: pl.DataType) -> str | None:
    if dtype == pl.Boolean:
        return TRUTH
    if dtype.is_numeric():
        return NUMBER
    return TEXT if dtype in (pl.String, pl.Categorical, pl.Enum) else None
