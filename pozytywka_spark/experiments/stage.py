"""Assignments and events -> what difference the treatments made: table, page and MLflow run."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings, deciding
from pozytywka_spark.datadays import span_of_events
from pozytywka_spark.dataspan import DataSpan
from pozytywka_spark.errors import DataError
from pozytywka_spark.experiments import registry, srm
from pozytywka_spark.experiments.assign import current
from pozytywka_spark.experiments.cells import Cells, cells_of
from pozytywka_spark.experiments.page import render
from pozytywka_spark.experiments.participants import outcomes, reading_months, with_past, without_past
from pozytywka_spark.experiments.population import cut_off_of
from pozytywka_spark.experiments.reading import CUMULATIVE, Row, balance, read_all, segment_rows
from pozytywka_spark.experiments.record import log_reading
from pozytywka_spark.experiments.registry import Experiment
from pozytywka_spark.experiments.segments import contamination, segment_counts
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import ASSIGNMENTS, EXPERIMENT_RESULTS

FORMAT = 1


@dataclass(frozen=True)
class Reading:
    """Everything a report shows, as rows; `rows` are those of `experiment_results`."""

    experiment: Experiment
    months: tuple[date, ...]
    rows: tuple[Row, ...]
    ratios: tuple[Row, ...]
    balance: tuple[Row, ...]
    contamination: tuple[Row, ...]
    notes: tuple[str, ...]
    reading_id: str

    def of(self, reading: str) -> list[Row]:
        """The rows of one kind of reading."""
        return [row for row in self.rows if row["reading"] == reading]


@dataclass(frozen=True)
class ExperimentReport:
    """A reading and where it was put; `unchanged`: the same was there before."""

    reading: Reading
    path: str
    run_id: str
    unchanged: bool


def report(spark: SparkSession, settings: Settings, lake: Lake, name: str) -> ExperimentReport:
    """Read experiment `name` up to the last month that is over: table `experiment_results`, page, MLflow run.

    The same data read again change nothing. Raises `UsageError` for an unknown name, `DataError` if there is
    no month to read, `GuardError` if the groups' sizes aren't as they were meant to be.
    """
    reading = read_experiment(spark, settings, lake, name)
    page = render(reading, settings)
    path = write_page(settings, f"experiment-{name}.html", page)
    unchanged = _is_there(lake, reading)
    if not unchanged:
        table = spark.createDataFrame(_records(reading), EXPERIMENT_RESULTS.schema)
        lake.replace_partitions(table, EXPERIMENT_RESULTS, [{"experiment": name}])
    return ExperimentReport(reading, path, log_reading(settings, lake, reading, page), unchanged)


def read_experiment(spark: SparkSession, settings: Settings, lake: Lake, name: str) -> Reading:
    """The reading itself; writes nothing. Raises as `report` does."""
    known = registry.read_experiments(lake)
    experiment, chosen = registry.find(lake, name), settings.experiments
    span = span_of_events(lake, settings.data)
    until = cut_off_of(span)
    if experiment.ended:
        until = min(until, experiment.ended)
    months = reading_months(experiment.started, until)
    past = lake.exists("user_month") and lake.exists("user_debuts")
    users = taking_part(spark, settings, lake, experiment, until, past=past).persist()
    try:
        cells = cells_of(users, len(chosen.cuped_measures) + 1 if past else 0)
        ratios = _ratios(cells, experiment, chosen.srm_alpha)
        counts = segment_counts(users, chosen.max_cities) if past else []
        others = [other for other, each in known.items() if other != name and _overlap(each, experiment)]
        muddied = contamination(users, lake, name, others, until)
    finally:
        users.unpersist()
    treatments = experiment.latest.allocation.treatments
    alpha, share = (float(str(experiment.latest.settings[key])) for key in ("alpha", "expected_share"))
    rows = read_all(cells, treatments, months, alpha, share, chosen.multiplicity)
    rows += segment_rows(
        counts, treatments, months[-1], alpha, method=chosen.multiplicity, fewest=chosen.min_segment_users
    )
    names = [*(f"{name}, last {chosen.pre_months} months" for name in chosen.cuped_measures), "tenure"]
    return Reading(
        experiment=experiment,
        months=tuple(months),
        rows=tuple(rows),
        ratios=tuple(ratios),
        balance=tuple(balance(cells, treatments, names, months[-1]) if past else ()),
        contamination=tuple(muddied),
        notes=tuple(_notes(span, experiment, months, rows, past=past)),
        reading_id=_identity(experiment, months, cells.frame, counts, muddied, settings),
    )


def taking_part(
    spark: SparkSession, settings: Settings, lake: Lake, experiment: Experiment, until: date, *, past: bool
) -> DataFrame:
    """Grain user with a group: what became of him until then, and his past if the features job has run."""
    if not lake.exists(ASSIGNMENTS.name):
        raise DataError(f"experiment {experiment.latest.name} has no users yet: run experiment assign again")
    assigned = current(lake, experiment.latest.name, spark)
    entered = assigned.where(F.col("entered_at") < F.lit(until).cast("timestamp"))
    users = outcomes(entered, lake.read("events"), until)
    return with_past(users, lake, settings.experiments, experiment.started) if past else without_past(users)


def _overlap(other: Experiment, mine: Experiment) -> bool:
    """Whether the other ran at any time since mine began."""
    return other.ended is None or other.ended > mine.started


def write_page(settings: Settings, name: str, page: str) -> str:
    """Put the page under the reports; its path."""
    path = Path(settings.home) / "reports" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return str(path)


def _ratios(cells: Cells, experiment: Experiment, alpha: float) -> list[Row]:
    """Sizes of groups under each allocation. Raises `GuardError` on a mismatch, `DataError` on no users."""
    if cells.frame.empty:
        raise DataError(f"experiment {experiment.latest.name} has no users who entered before the data's end")
    shares = {each.revision: each.allocation.shares for each in experiment.revisions}
    found = [srm.ratio(number, cells.sizes(number), shares[number]) for number in cells.revisions]
    srm.check(found, alpha)
    return srm.as_rows(found)


def _notes(
    span: DataSpan, experiment: Experiment, months: Sequence[date], rows: Sequence[Row], *, past: bool
) -> list[str]:
    notes = []
    if not span.is_over(span.last) and not experiment.ended:
        notes.append(
            f"{span.last:%Y-%m} has begun: {span.why_incomplete(span.last)}; read until {months[-1]:%Y-%m}"
        )
    if not past:
        notes.append("the features job has not run: no CUPED, no segments, no balance of the time before")
    if len(experiment.revisions) > 1:
        notes.append(
            "shares changed on the way: users who entered under different shares are compared among "
            "themselves, then averaged"
        )
    ends = [row for row in rows if row["reading"] == CUMULATIVE and row["month"] == months[-1]]
    fewest = min((row["purchases"] for row in ends), default=0)
    if fewest < 20:
        notes.append(f"purchases in a treatment so far: only {fewest}, so intervals are rough")
    return notes


def _identity(
    experiment: Experiment,
    months: Sequence[date],
    cells: pd.DataFrame,
    counts: Sequence[Row],
    muddied: Sequence[Row],
    settings: Settings,
) -> str:
    """Names all that decides a reading."""
    content = [
        FORMAT,
        repr(experiment),
        str(months[-1]),
        cells.to_csv(index=False),
        sorted(json.dumps(count, sort_keys=True) for count in counts),
        sorted(json.dumps(row, sort_keys=True) for row in muddied),
        deciding(settings, "experiment"),
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


def _is_there(lake: Lake, reading: Reading) -> bool:
    if not lake.exists(EXPERIMENT_RESULTS.name):
        return False
    name = reading.experiment.latest.name
    first = lake.read(EXPERIMENT_RESULTS.name, partitions=[{"experiment": name}]).first()
    return first is not None and first["reading_id"] == reading.reading_id


def _records(reading: Reading) -> list[tuple[Any, ...]]:
    """Rows in the table's order, NaN as null."""
    fixed = {"experiment": reading.experiment.latest.name, "reading_id": reading.reading_id}
    return [
        tuple(_known((row | fixed).get(name)) for name in EXPERIMENT_RESULTS.columns) for row in reading.rows
    ]


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
