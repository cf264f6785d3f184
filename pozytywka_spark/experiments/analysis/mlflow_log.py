"""Log a reading of an experiment to MLflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pozytywka_spark.config import Settings
from pozytywka_spark.experiments.analysis.reading import CUMULATIVE
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import ASSIGNMENTS
from pozytywka_spark.tracking import runs
from pozytywka_spark.tracking.inputs import log_inputs
from pozytywka_spark.tracking.notes import KIND, describe_run, page_of, table
from pozytywka_spark.tracking.run_names import span
from pozytywka_spark.tracking.sources import table_inputs
from pozytywka_spark.tracking.store import connect

if TYPE_CHECKING:
    from pozytywka_spark.experiments.analysis.read_experiment import Reading

READING = "pozytywka.reading"
KIND_OF_RUN = "experiment"
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
        KIND: KIND_OF_RUN,
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
    name = f"experiment {latest.name} · {span(reading.months)}"
    with runs.run(tracking, name, tags=tags) as run_id:
        log_inputs(tracking, run_id, table_inputs(lake, [ASSIGNMENTS.name, "events"], KIND_OF_RUN))
        runs.log(tracking, run_id, params=params)
        for group in latest.allocation.treatments:
            rows = [row for row in reading.of(CUMULATIVE) if row["group"] == group]
            for metric in _METRICS:
                values = [float(row[metric]) for row in rows]
                if all(value == value for value in values):
                    runs.log_history(tracking, run_id, f"{group}.{metric}", values)
        runs.log_json(tracking, run_id, settings.resolved(), "settings.json")
        file = f"experiment-{latest.name}.html"
        runs.log_text(tracking, run_id, page, file)
        link = page_of(tracking.experiment_id, run_id, file, "The page")
        describe_run(
            tracking, run_id, name, tags, f"{_in_words(reading)}\n\n{link} has the curves and the checks."
        )
    return run_id


def _in_words(reading: Reading) -> str:
    """Where each treatment stands at the last month, cumulated."""
    last = max(row["month"] for row in reading.of(CUMULATIVE))
    rows = [
        {
            "group": str(row["group"]),
            "share": f"{row['share']:.4f}",
            "control": f"{row['control_share']:.4f}",
            "difference (95%)": f"{row['difference']:+.4f} ({row['low']:+.4f} to {row['high']:+.4f})",
        }
        for row in reading.of(CUMULATIVE)
        if row["month"] == last and row["group"] in reading.experiment.latest.allocation.treatments
    ]
    return f"Premium share until the end of {last:%Y-%m}:\n\n{table(rows)}"
