"""Rules of who may be shown an arm, in plain Python; `rules_frame` says the same as Polars expressions.

A rule compares a column of the user with a value. All rules of an arm must hold; null (and NaN) fulfils none
but `unknown`. Numbers compare as floats, texts by code point, true and false only as equal or not. A rule
whose column isn't there, or holds another type than its value, is an error, not an arm for nobody.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pozytywka_spark.errors import DataError, UsageError

COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
ORDERED = ("lt", "le", "gt", "ge")
ONE_OF, KNOWN, UNKNOWN = "in", "known", "unknown"
OPERATORS = (*COMPARED, ONE_OF, KNOWN, UNKNOWN)
TEXT, NUMBER, TRUTH = "text", "number", "true or false"
Value = str | float | bool


@dataclass(frozen=True)
class Rule:
    """`column op value`; of `in` several values of one type, of `known` and `unknown` none."""

    column: str
    op: str
    values: tuple[Value, ...] = ()

    @property
    def type(self) -> str | None:
        """What the column must hold: text, number, true or false; None: anything."""
        return type_of(self.values[0]) if self.values else None

    def holds(self, user: Mapping[str, Any]) -> bool:
        """Whether it holds of a user given by column. Raises `DataError` as the module says."""
        if self.column not in user:
            raise absent(self, list(user))
        value = user[self.column]
        is_unknown = value is None or value != value
        if self.op in (KNOWN, UNKNOWN):
            return is_unknown == (self.op == UNKNOWN)
        if is_unknown:
            return False
        if type_of(value) != self.type:
            raise mismatch(self, type(value).__name__)
        value = plain(value)
        if self.op == ONE_OF:
            return value in self.values
        return bool(COMPARED[self.op](value, self.values[0]))

    def __str__(self) -> str:
        return " ".join([self.column, self.op, ", ".join(map(str, self.values))]).strip()


Rules = Mapping[str, tuple[Rule, ...]]


def parse_rule(rule: Mapping[str, Any], arm: str) -> Rule:
    """The rule of {"column", "op", "value"}. Raises `UsageError` naming the arm and what was expected."""
    column, op, value = rule.get("column"), rule.get("op"), rule.get("value")
    if not isinstance(column, str) or not column or op not in OPERATORS:
        raise UsageError(
            f"arm {arm}: a rule of column {column!r} and op {op!r}; "
            f"expected a column's name and one of {' '.join(OPERATORS)}"
        )
    if op in (KNOWN, UNKNOWN):
        if value is not None:
            raise UsageError(f"arm {arm}: the rule {column} {op} has a value; expected none")
        return Rule(column, op)
    several = op == ONE_OF
    if several != isinstance(value, list | tuple):
        raise UsageError(
            f"arm {arm}: the rule {column} {op} has the value {value!r}; expected "
            + ("a list" if several else "one text, number, true or false")
        )
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    types = {type_of(each) for each in values}
    if len(types) != 1 or None in types or any(each != each for each in values):
        raise UsageError(
            f"arm {arm}: the rule {column} {op} has the value {value!r}; expected values of one type"
        )
    if op in ORDERED and types == {TRUTH}:
        raise UsageError(f"arm {arm}: the rule {column} {op} orders true and false; expected eq or ne")
    return Rule(column, op, tuple(map(plain, values)))


def parse_rules(rules: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, tuple[Rule, ...]]:
    """The rules by arm, as a policy's document or the settings have them. Raises `UsageError`."""
    return {arm: tuple(parse_rule(rule, arm) for rule in of_arm) for arm, of_arm in rules.items()}


def eligible_arms(arms: Sequence[str], rules: Rules, user: Mapping[str, Any]) -> list[str]:
    """The arms that the user may be shown, in the order of `arms`; one without rules is for everybody.

    >>> rules = parse_rules({"heavy": [{"column": "plays", "op": "ge", "value": 100}]})
    >>> eligible_arms(["plain", "heavy"], rules, {"plays": 99})
    ['plain']
    """
    return [arm for arm in arms if all(rule.holds(user) for rule in rules.get(arm, ()))]


def type_of(value: object) -> str | None:
    """text, number, true or false; None of anything else."""
    if isinstance(value, bool):
        return TRUTH
    if isinstance(value, str):
        return TEXT
    return NUMBER if isinstance(value, int | float) else None


def plain(value: Any) -> Value:
    """Numbers as floats, so that they compare alike everywhere."""
    if type_of(value) == NUMBER:
        return float(value)
    return value  # type: ignore[no-any-return]  # text, true or false


def absent(rule: Rule, columns: Sequence[str]) -> DataError:
    """The rule's column isn't there."""
    return DataError(
        f"the rule {rule} needs the column {rule.column}; there are {', '.join(sorted(columns))}"
    )


def mismatch(rule: Rule, found: str) -> DataError:
    """The rule's column holds another type."""
    return DataError(f"the rule {rule} expects {rule.type} in the column {rule.column}, which holds {found}")
