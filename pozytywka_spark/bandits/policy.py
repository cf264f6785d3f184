"""What a policy is: a JSON document that alone decides every probability, read into what `decide` works with.

Standard library only, so that a server needs nothing else. The documents, by `kind`:

    recovering_softmax  {"format": 1, "kind", "slot", "version", "arms": [arm],
                         "scores": {arm: {group: score}}, "recency": {"gamma", "half_life_days"},
                         "temperature", "explore", "salt", "trained_days": [first, last],
                         "rules": {arm: [{"column", "op", "value"}]}}
    seasonal            the same with "table": {group: {arm: probability}} for scores, recency and temperature
    fixed               {"kind": "fixed", "probabilities": {group: {arm: probability}}}
    uniform             {"kind": "uniform"}

The group "" stands for users of any group that isn't named. What a document may leave out: `explore` is 0
then, `slot`, `version` and `salt` are empty, `arms` those of the table (of a uniform one: whatever is asked).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pozytywka_spark.errors import DataError

FORMAT = 1
SOFTMAX, SEASONAL, FIXED, UNIFORM = "recovering_softmax", "seasonal", "fixed", "uniform"
KINDS = (SOFTMAX, SEASONAL, FIXED, UNIFORM)
ANY_GROUP = ""
_SUM_WITHIN = 1e-6

Document = Mapping[str, Any]
ByGroup = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Policy:
    """A document that was checked, laid out for deciding.

    `values`: by group, then by arm: scores of a softmax, probabilities of a table; none of a uniform policy.
    `places`: where an arm stands in `arms`, which is the order in which weights are summed and drawn from.
    """

    kind: str
    slot: str = ""
    version: str = ""
    arms: tuple[str, ...] = ()
    values: ByGroup = field(default_factory=dict)
    gamma: float = 0.0
    half_life_days: float = 1.0
    temperature: float = 1.0
    explore: float = 0.0
    salt: str = ""
    trained_days: tuple[str, str] | None = None
    rules: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)

    def of_group(self, group: str | None) -> Mapping[str, float]:
        """Scores or probabilities by arm of users of the group. Raises `DataError` if there are none."""
        values = self.values.get(group or ANY_GROUP)
        if values is None:
            values = self.values.get(ANY_GROUP)
        if values is None:
            raise DataError(
                f'the {self.kind} policy has no group {group or ANY_GROUP!r}, nor "" for any other'
            )
        return values


def parse_policy(document: Document, source: str = "the policy") -> Policy:
    """The policy of a document. Raises `DataError` naming `source`, the field and what was expected there."""
    return _Reader(document, source).policy()


def read_policy(path: str | Path) -> Policy:
    """The policy of a JSON file. Raises `DataError` if there is none, or it isn't one."""
    return parse_policy(read_document(path), str(path))


def read_document(path: str | Path) -> dict[str, Any]:
    """The document of a JSON file, unchecked. Raises `DataError` if there is no file or no JSON object."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: can't be read ({error.strerror}); expected a policy as JSON") from None
    except ValueError as error:
        raise DataError(f"{path}: isn't JSON ({error}); expected a policy as `export` writes it") from None
    if not isinstance(document, dict):
        raise DataError(f"{path}: holds no JSON object; expected a policy as `export` writes it")
    return document


def policy_text(document: Document) -> str:
    """The document as the text of its file: the same document, the same bytes."""
    parse_policy(document)
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n"


class _Reader:
    """Reads fields, naming the first one that isn't as expected."""

    def __init__(self, document: Document, source: str) -> None:
        self._document, self._source = document, source

    def policy(self) -> Policy:
        if self._document.get("format", FORMAT) != FORMAT:
            raise self._wrong("format", f"{FORMAT}, the one that this release reads")
        kind = self._document.get("kind")
        if kind not in KINDS:
            raise self._wrong("kind", "one of " + ", ".join(KINDS))
        values = self._values(kind)
        arms = self._arms(kind, values)
        recency = self._document.get("recency", {}) if kind == SOFTMAX else {}
        if not isinstance(recency, Mapping):
            raise self._wrong("recency", "gamma and half_life_days")
        above_zero = 5e-324
        return Policy(
            kind=kind,
            slot=self._text("slot"),
            version=str(self._document.get("version") or ""),
            arms=arms,
            values=self._of_all_arms(kind, values, arms),
            gamma=self._number("gamma", recency, 0.0),
            half_life_days=self._number("half_life_days", recency, 1.0, low=above_zero),
            temperature=self._number(
                "temperature", self._document, 1.0, low=above_zero, needed=kind == SOFTMAX
            ),
            explore=self._number("explore", self._document, 0.0, high=1.0),
            salt=self._text("salt"),
            trained_days=self._trained_days(),
            rules=self._rules(arms),
            places={arm: place for place, arm in enumerate(arms)},
        )

    def _values(self, kind: str) -> dict[str, dict[str, float]]:
        """By group, then arm, as numbers; only the groups and arms that the document names."""
        if kind == UNIFORM:
            return {}
        name = {SOFTMAX: "scores", SEASONAL: "table", FIXED: "probabilities"}[kind]
        outer = self._document.get(name)
        if not isinstance(outer, Mapping) or not outer:
            raise self._wrong(
                name, "arms, of each its groups" if kind == SOFTMAX else "groups, of each its arms"
            )
        values: dict[str, dict[str, float]] = {}
        for first, inner in outer.items():
            if not isinstance(inner, Mapping) or not inner:
                raise self._wrong(f"{name}.{first}", "numbers by name")
            for second, value in inner.items():
                group, arm = (second, first) if kind == SOFTMAX else (first, second)
                if not _is_number(value) or (kind != SOFTMAX and value < 0):
                    raise self._wrong(
                        f"{name}.{first}.{second}", "a number" + " of 0 or more" * (kind != SOFTMAX)
                    )
                values.setdefault(group, {})[arm] = float(value)
        if kind == SOFTMAX and values.get(ANY_GROUP, {}).keys() != outer.keys():
            raise self._wrong(name, 'of each arm its score of "", for groups that it doesn\'t name')
        if kind == SEASONAL and ANY_GROUP not in values:
            raise self._wrong(name, 'a group "", for groups that it doesn\'t name')
        for group, of_group in values.items():
            if kind != SOFTMAX and not math.isclose(math.fsum(of_group.values()), 1.0, abs_tol=_SUM_WITHIN):
                raise self._wrong(f"{name}.{group}", "probabilities that add up to 1")
        return values

    def _arms(self, kind: str, values: ByGroup) -> tuple[str, ...]:
        named = {arm: None for of_group in values.values() for arm in of_group}
        arms = self._document.get("arms", list(named))
        if not isinstance(arms, list | tuple) or not all(isinstance(arm, str) and arm for arm in arms):
            raise self._wrong("arms", "a list of names")
        if len(set(arms)) != len(arms):
            raise self._wrong("arms", "each arm once")
        if not named.keys() <= set(arms) or (kind == SOFTMAX and named.keys() != set(arms)):
            raise self._wrong("arms", "the arms that have scores or probabilities")
        return tuple(arms)

    @staticmethod
    def _of_all_arms(kind: str, values: ByGroup, arms: tuple[str, ...]) -> ByGroup:
        """With a value for each arm: the score of any group, a probability of 0."""
        rest = values[ANY_GROUP] if kind == SOFTMAX else dict.fromkeys(arms, 0.0)
        return {
            group: {arm: of_group.get(arm, rest.get(arm, 0.0)) for arm in arms}
            for group, of_group in values.items()
        }

    def _number(
        self,
        name: str,
        where: Mapping[str, Any],
        default: float,
        *,
        low: float = 0.0,
        high: float = math.inf,
        needed: bool = False,
    ) -> float:
        value = where.get(name, None if needed else default)
        if not _is_number(value) or not low <= value <= high:
            raise self._wrong(
                name, f"a number from {low:g} to {high:g}" if high < math.inf else "a number above 0"
            )
        return float(value)

    def _text(self, name: str) -> str:
        value = self._document.get(name) or ""
        if not isinstance(value, str) or "\n" in value:
            raise self._wrong(name, "text of one line")
        return value

    def _trained_days(self) -> tuple[str, str] | None:
        days = self._document.get("trained_days")
        if days is None:
            return None
        if not isinstance(days, list | tuple) or len(days) != 2:
            raise self._wrong("trained_days", "the first and the last day that it learnt from")
        return str(days[0]), str(days[1])

    def _rules(self, arms: tuple[str, ...]) -> dict[str, tuple[Mapping[str, Any], ...]]:
        rules = self._document.get("rules", {})
        if not isinstance(rules, Mapping) or not all(
            isinstance(of_arm, list | tuple) for of_arm in rules.values()
        ):
            raise self._wrong("rules", "a list of rules by arm")
        if arms and not rules.keys() <= set(arms):
            raise self._wrong("rules", "rules of the policy's arms")
        return {arm: tuple(of_arm) for arm, of_arm in rules.items()}

    def _wrong(self, name: str, expected: str) -> DataError:
        return DataError(f"{self._source}: {name} isn't as a policy has it; expected {expected}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
