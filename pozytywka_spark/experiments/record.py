"""What a reading leaves in MLflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pozytywka_spark.config import Settings
from pozytywka_spark.experiments.reading import CUMULATIVE
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import ASSIGNMENTS
from pozytywka_spark.training.tracking import runs
from pozytywka_spark.training.tracking.store import connect

if TYPE_CHECKING:
    from pozytywka_spark.experiments.stage import Reading

READING = "pozytywka.reading"
_METRICS = (
    "share",
    "control_share",
    "difference",
    "low",
    "high",
    "lift",
    "p_value",
    "cuped_difference",
    "cuped_low",
    "cuped_high",
    "always_low",
    "always_high",
    "always_p",
)


def log_reading(settings: Settings, lake: Lake, reading: Reading, page: str) -> str:
    """A run of the reading, each metric with a step a month; the run there is, if it was logged before."""
    tracking = connect(settings)
    there = runs.tagged(tracking, READING, reading.reading_id)
    if there:
        return there[0]
    latest = reading.experiment.latest
    tags = {
        READING: reading.reading_id,
        "pozytywka.experiment": latest.name,
        "pozytywka.delta.assignments": str(lake.version(ASSIGNMENTS.name)),
        "pozytywka.delta.events": str(lake.version("events")),
    }
    params = {
        "experiment": latest.name,
        "started": reading.experiment.started,
        "last_month": f"{reading.months[-1]:%Y-%m}",
        "revision": latest.revision,
        "salt": latest.salt,
        "layer": latest.layer or "none",
        **{f"share.{group}": share for group, share in latest.allocation.shares.items()},
    }
    with runs.run(tracking, f"experiment {latest.name}", tags=tags) as run_id:
        runs.log(tracking, run_id, params=params)
        for group in latest.allocation.treatments:
            rows = [row for row in reading.of(CUMULATIVE) if row["group"] == group]
            for name in _METRICS:
                values = [float(row[name]) for row in rows]
                if all(value == value for value in values):
                    runs.log_history(tracking, run_id, f"{group}.{name}", values)
        runs.log_json(tracking, run_id, settings.resolved(), "settings.json")
        runs.log_text(tracking, run_id, page, f"experiment-{latest.name}.html")
    return run_id
