"""Inputs and outputs of the rules: how lines are judged, and the verdict on one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

Row = Mapping[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Judging:
    """What a line is judged by beside its own text.

    `max_line_bytes`: a longer line is not parsed. `latest`: an event after this moment (with its zone) lies
    in the future; None: there is no such limit.
    """

    max_line_bytes: int
    latest: datetime | None = None

    @cached_property
    def latest_micros(self) -> int | None:
        """`latest` in microseconds since 1970, UTC."""
        return None if self.latest is None else (self.latest - _EPOCH) // timedelta(microseconds=1)

    @property
    def future_rule(self) -> str:
        """The rule that an event in the future breaks, with the limit in UTC."""
        assert self.latest is not None
        limit = self.latest.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
        return f"timestamp: not after {limit}, the time of the ingest and ingest.future_days"


@dataclass(frozen=True)
class Broken:
    """A rule that a line breaks: the reason's code, and the rule in words, naming field or place."""

    reason: str
    rule: str


class Meaning(NamedTuple):
    """What a readable row means: silver columns in the entity's order, the first broken rule, remarks.

    `incomplete`: an event that its session may complete.
    """

    columns: tuple[Any, ...]
    broken: Broken | None
    notes: list[str]
    incomplete: bool = False


@dataclass(frozen=True)
class Entity:
    """The rules of one raw file.

    `fields`: each required field and its kind (see `kinds`); `ignored`: fields that may come and are
    dropped; `safe`: fields that may be stored of a rejected row, None: all; `identifiers`: fields that name
    something; `columns`: the silver columns, in the order of `Meaning.columns`; `meaning`: what a row of
    fields of the right kind means, given the judging and the unit of numbers as timestamps.
    """

    name: str
    fields: Mapping[str, Callable[[Any], Any]]
    identifiers: tuple[str, ...]
    columns: tuple[str, ...]
    meaning: Callable[[Row, Judging, str | None], Meaning]
    ignored: tuple[str, ...] = ()
    safe: tuple[str, ...] | None = None

    @cached_property
    def has_texts(self) -> bool:
        """Whether what people wrote is among its fields: then anything could stand anywhere."""
        return self.safe is not None and set(self.fields) > set(self.safe)

    @cached_property
    def allowed(self) -> frozenset[str]:
        """Fields that may come; any other is drift."""
        return frozenset((*self.fields, *self.ignored))


class Verdict(NamedTuple):
    """What becomes of a line.

    `columns` as of `Meaning`, all None of an unreadable line; `reason` and `rule`: None if the line passes;
    `rescued`: fields that the contract doesn't know, as JSON; `notes`: remarks for the report; `absent`:
    required fields that the line lacks altogether; `raw`: the text as it may be stored, None where the
    row needs none, as is `line_id`, the hash of entity and line; `incomplete` as of `Meaning`.
    """

    columns: tuple[Any, ...]
    reason: str | None = None
    rule: str | None = None
    rescued: str | None = None
    notes: list[str] | None = None
    absent: list[str] | None = None
    incomplete: bool = False
    raw: str | None = None
    line_id: str | None = None
