"""The file of rules: what may stand in it, read by hand, so that nothing in it is ever run.

    - name: never_sleeps
      group: bots
      meaning: plays through most hours of the day
      conditions:
        - active_hours >= 20
        - plays > 100

A condition is `signal operator number`; a rule holds where all of its conditions do. A signal that is null
fulfils none.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import reduce
from operator import and_, eq, ge, gt, le, lt, ne
from typing import Any

import polars as pl
import yaml

from pozytywka_spark.errors import UsageError
from pozytywka_spark.hashing.fingerprints import LONG, fingerprint_of

UNKNOWN, RINGS = "unknown", "rings"  # groups that no rule may take: they have cases of their own
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<=": le,
    ">=": ge,
    "==": eq,
    "!=": ne,
    "<": lt,
    ">": gt,
}
_FIELDS = ("name", "group", "meaning", "conditions")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_CONDITION = re.compile(r"\s*(\w+)\s*(<=|>=|==|!=|<|>)\s*(\S+)\s*")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Condition:
    """`signal operator number`."""

    signal: str
    operator: str
    number: float

    def holds(self) -> pl.Expr:
        """Whether it holds of a row of signals; never null."""
        compared: pl.Expr = OPERATORS[self.operator](pl.col(self.signal), self.number)
        return compared.fill_null(value=False)

    def __str__(self) -> str:
        return f"{self.signal} {self.operator} {self.number:g}"


@dataclass(frozen=True)
class Rule:
    """Conditions on an account's day that must all hold for it to be a case of the group."""

    name: str
    group: str
    meaning: str
    conditions: tuple[Condition, ...]

    def holds(self) -> pl.Expr:
        """Whether all of its conditions hold of a row of signals."""
        return reduce(and_, (condition.holds() for condition in self.conditions))


def parse_rules(text: str, path: str, signals: Collection[str]) -> tuple[Rule, ...]:
    """The rules of a file's text. Raises `UsageError` naming file, line, and what was expected."""
    try:
        # composing builds no object of what the text asks for: only texts and the lines they stand in
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise UsageError(f"{path}{line}: not YAML: {' '.join(str(problem).split())}") from None
    if not isinstance(root, yaml.SequenceNode) or not root.value:
        raise UsageError(f"{path}: expected a list of rules, each with {', '.join(_FIELDS)}")
    rules: list[Rule] = []
    for node in root.value:
        rule = _rule(node, path, signals)
        if any(rule.name == other.name for other in rules):
            raise _wrong(node, path, f"a second rule {rule.name}: names are used once")
        rules.append(rule)
    return tuple(rules)


def rules_hash(rules: Collection[Rule]) -> str:
    """SHA-256 of what decides the cases of rules: not their meanings."""
    content = [[rule.name, rule.group, sorted(map(_told, rule.conditions))] for rule in rules]
    return fingerprint_of(sorted(content), LONG)


def _told(condition: Condition) -> str:
    return f"{condition.signal} {condition.operator} {condition.number!r}"


def _rule(node: yaml.Node, path: str, signals: Collection[str]) -> Rule:
    if not isinstance(node, yaml.MappingNode):
        raise _wrong(node, path, f"expected a rule, with {', '.join(_FIELDS)}")
    fields: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = str(key.value)
        if name not in _FIELDS:
            has = f"a rule has {', '.join(_FIELDS)}"
            raise _wrong(key, path, f"no such field {name!r}{_nearest(name, _FIELDS)}; {has}")
        if name in fields:
            raise _wrong(key, path, f"{name} twice in one rule")
        fields[name] = value
    for name in _FIELDS:
        if name not in fields:
            raise _wrong(node, path, f"a rule without {name}; a rule has {', '.join(_FIELDS)}")
    name, group = (_named(fields[field], path, field) for field in ("name", "group"))
    if group in (UNKNOWN, RINGS):
        raise _wrong(fields["group"], path, f"group {group} has its cases without a rule; name another")
    conditions = fields["conditions"]
    if not isinstance(conditions, yaml.SequenceNode) or not conditions.value:
        raise _wrong(conditions, path, f"rule {name}: expected a list of conditions, such as - plays > 100")
    return Rule(
        name,
        group,
        _text(fields["meaning"], path, "meaning"),
        tuple(_condition(each, path, signals) for each in conditions.value),
    )


def _condition(node: yaml.Node, path: str, signals: Collection[str]) -> Condition:
    text = _text(node, path, "condition")
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise _wrong(node, path, f"{text!r}: expected signal operator number, such as plays > 100 "
                                 f"(operators {' '.join(OPERATORS)})")  # fmt: skip
    signal, operator, number = found.groups()
    if signal not in signals:
        raise _wrong(node, path, f"no signal {signal!r}{_nearest(signal, signals)}; fraud rules lists all")
    if not _NUMBER.fullmatch(number) or not math.isfinite(float(number)):
        raise _wrong(node, path, f"{text!r}: {number!r} is no number")
    return Condition(signal, operator, float(number))


def _named(node: yaml.Node, path: str, field: str) -> str:
    text = _text(node, path, field)
    if not _NAME.fullmatch(text):
        raise _wrong(node, path, f"{field} {text!r}: expected a-z, 0-9 and _, such as never_sleeps")
    return text


def _text(node: yaml.Node, path: str, field: str) -> str:
    if not isinstance(node, yaml.ScalarNode) or not str(node.value).strip():
        raise _wrong(node, path, f"{field}: expected a text")
    return " ".join(str(node.value).split())


def _nearest(name: str, names: Collection[str]) -> str:
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.4)
    return f", did you mean {close[0]}?" if close else ""


def _wrong(node: yaml.Node, path: str, problem: str) -> UsageError:
    return UsageError(f"{path}, line {node.start_mark.line + 1}: {problem}")
