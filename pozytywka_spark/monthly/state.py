"""How far each month's work has come: the table `monthly_steps`, a row a change of a step's state."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.lake.api import Lake
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
    text = json.dumps(inputs, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def now() -> datetime:
    """For the record only: no step decides anything by the clock."""
    return datetime.now(UTC)


def read_states(lake: Lake, month: date | None = None) -> list[StepState]:
    """The latest state of each step of a month, or of all months, in the order of their beginning."""
    if not lake.exists(MONTHLY_STEPS.name):
        return []
    rows = lake.read(MONTHLY_STEPS.name)
    wanted = rows if month is None else rows.where(F.col("month") == F.lit(month))
    # a step's end has its beginning's time; null, as it has not ended, is the smallest
    order = F.struct("started_at", "finished_at")
    last = wanted.groupBy("month", "step").agg(F.max_by(F.struct("*"), order).alias("last"))
    return [_state(row) for row in last.select("last.*").orderBy("month", "started_at", "step").collect()]


def record(spark: SparkSession, lake: Lake, state: StepState) -> None:
    """Add a state to the record; nothing of what was known before is lost."""
    row = asdict(state) | {"outcome": json.dumps(dict(state.outcome), sort_keys=True)}
    made = spark.createDataFrame([row], MONTHLY_STEPS.schema)
    lake.append(made, MONTHLY_STEPS)


def latest(states: Sequence[StepState], step: str) -> StepState | None:
    """The state of a step among those of one month."""
    return next((each for each in states if each.step == step), None)


def _state(row: Row) -> StepState:
    values = row.asDict() | {"outcome": json.loads(row["outcome"])}
    return StepState(**values)
