"""How far each month's work has come: the table `monthly_steps`, a row a change of a step's state."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.schemas import MONTHLY_STEPS

RUNNING, DONE, SKIPPED, FAILED = "running", "done", "skipped", "failed"
SETTLED = (DONE, SKIPPED)


@dataclass(frozen=True)
class StepState:
    """One step of one month: `inputs` names what it was done from, `outcome` is for the steps after it."""

    month: date
    step: str
    state: str
    inputs: str
    detail: str
    started_at: datetime
    finished_at: datetime | None = None
    outcome: Mapping[str, Any] = field(default_factory=dict)


def digest(inputs: object) -> str:
    """A short name for whatever decides a step's work."""
    return fingerprint_of(inputs, sort_keys=True, default=str)


def now() -> datetime:
    """For the record only: no step decides anything by the clock."""
    return datetime.now(UTC)


def read_states(lake: Lake, month: date | None = None) -> list[StepState]:
    """The latest state of each step of a month, or of all months, in the order of their beginning."""
    if not lake.exists(MONTHLY_STEPS.name):
        return []
    states = map(_state, lake.rows(MONTHLY_STEPS.name).to_pylist())
    of_month = [state for state in states if month in (None, state.month)]
    last = {(state.month, state.step): state for state in sorted(of_month, key=_age)}
    return sorted(last.values(), key=lambda state: (state.month, state.started_at, state.step))


def _age(state: StepState) -> tuple[datetime, bool, datetime]:
    """A step's end has its beginning's time, and follows it."""
    return state.started_at, state.finished_at is not None, state.finished_at or state.started_at


def record(lake: Lake, state: StepState) -> None:
    """Add a state to the record; nothing of what was known before is lost."""
    row = asdict(state) | {"outcome": json.dumps(dict(state.outcome), sort_keys=True)}
    lake.append(pa.Table.from_pylist([row], arrow_schema(MONTHLY_STEPS.schema)), MONTHLY_STEPS)


def latest(states: Sequence[StepState], step: str) -> StepState | None:
    """The state of a step among those of one month."""
    return next((each for each in states if each.step == step), None)


def _state(row: Mapping[str, Any]) -> StepState:
    values = {**row, "outcome": json.loads(row["outcome"])}
    return StepState(**values)
