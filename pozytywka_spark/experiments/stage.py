"""Assignments and events -> what difference the treatments made: table, page and MLflow run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pozytywka_spark.config import Settings
from pozytywka_spark.experiments.analysis import text
from pozytywka_spark.experiments.analysis.mlflow_log import log_reading
from pozytywka_spark.experiments.analysis.page import render
from pozytywka_spark.experiments.analysis.read_experiment import Reading, read_experiment
from pozytywka_spark.experiments.analysis.reading import CUMULATIVE
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.reports.files import write_page
from pozytywka_spark.reports.notebook import card
from pozytywka_spark.schemas import EXPERIMENT_RESULTS


@dataclass(frozen=True)
class ExperimentReport:
    """A reading and where it was put; `unchanged`: the same was there before."""

    reading: Reading
    path: str
    run_id: str
    unchanged: bool

    def _repr_html_(self) -> str:
        rows = self.reading.of(CUMULATIVE)
        tables = {
            "from the start": text.month_table(rows),
            "difference, from the start": text.difference_table(rows),
        }
        verdicts = [text.verdict(row) for row in rows if row["month"] == self.reading.months[-1]]
        title = f"experiment {self.reading.experiment.latest.name}"
        return card(title, tables, [*self.reading.notes, *verdicts], self.path)


def report(settings: Settings, lake: Lake, name: str) -> ExperimentReport:
    """Read experiment `name` up to the last month that is over: table `experiment_results`, page, MLflow run.

    The same data read again change nothing. Raises `UsageError` for an unknown name, `DataError` if there is
    no month to read, `GuardError` if the groups' sizes aren't as they were meant to be.
    """
    reading = read_experiment(settings, lake, name)
    page = render(reading, settings)
    path = str(write_page(settings, f"experiment-{name}.html", page))
    unchanged = _is_there(lake, reading)
    if not unchanged:
        lake.replace_partitions(_records(reading), EXPERIMENT_RESULTS, [{"experiment": name}])
    return ExperimentReport(reading, path, log_reading(settings, lake, reading, page), unchanged)


def _is_there(lake: Lake, reading: Reading) -> bool:
    if not lake.exists(EXPERIMENT_RESULTS.name):
        return False
    name = reading.experiment.latest.name
    readings = lake.rows(EXPERIMENT_RESULTS.name, ["reading_id"], [{"experiment": name}])
    return reading.reading_id in readings.column("reading_id").to_pylist()


def _records(reading: Reading) -> pa.Table:
    """Rows as the table has them, NaN as null."""
    fixed = {"experiment": reading.experiment.latest.name, "reading_id": reading.reading_id}
    rows = [
        {name: _known((row | fixed).get(name)) for name in EXPERIMENT_RESULTS.columns} for row in reading.rows
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(EXPERIMENT_RESULTS.schema))


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
