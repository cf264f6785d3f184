"""An experiment read: its users, what became of them, and the months compared, from the lake's tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from pozytywka_spark.config import Settings, deciding
from pozytywka_spark.errors import DataError, require
from pozytywka_spark.experiments.analysis import srm
from pozytywka_spark.experiments.analysis.participants import Past, reading_months
from pozytywka_spark.experiments.analysis.past_groups import Groups
from pozytywka_spark.experiments.analysis.reading import CUMULATIVE, Row, balance, read_all, segment_rows
from pozytywka_spark.experiments.analysis.reading_work import CELLS, COUNTS, ELSEWHERE, MUDDIED, ReadUsers
from pozytywka_spark.experiments.analysis.segments import contamination, segment_counts
from pozytywka_spark.experiments.analysis.sufficient_statistics import Cells, cells_told
from pozytywka_spark.experiments.assignment import definitions
from pozytywka_spark.experiments.assignment.cut_offs import cut_off_of
from pozytywka_spark.experiments.assignment.definition import Experiment
from pozytywka_spark.experiments.assignment.groups import ASSIGNED
from pozytywka_spark.experiments.purchases import find_purchases
from pozytywka_spark.experiments.slices import all_slices, bytes_of, files_of
from pozytywka_spark.features.top_groups import group_names
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_span import DataSpan
from pozytywka_spark.lake.event_days import span_of_events
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.months import month_after
from pozytywka_spark.names import TOP_GROUP
from pozytywka_spark.schemas import ASSIGNMENTS, EXPOSURES

FORMAT = 2


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


def read_experiment(settings: Settings, lake: Lake, name: str) -> Reading:
    """The reading itself; writes nothing. Raises as `report` does."""
    require("experiments")  # before the work, not after it
    experiments = definitions.read_experiments(lake)
    experiment, chosen = definitions.find(lake, name), settings.experiments
    past = lake.exists("user_month") and lake.exists("user_debuts")
    span = span_of_events(lake, settings.data)
    until = cut_off_of(span)
    if experiment.ended:
        until = min(until, experiment.ended)
    months = reading_months(experiment.started, until)
    others = [other for other, each in experiments.items() if other != name and _overlap(each, experiment)]
    with lake.tasks() as tasks:
        bought = find_purchases(lake, tasks)
        work = _users_work(lake, tasks, settings, experiment, until, others, bought, past=past)
        read = tasks.run(
            all_slices(work.assigned),
            work,
            weight=lambda _: bytes_of(work.assigned),
            named=lambda item: f"users of {name}, slice {item.number + 1} of {item.slices}",
        )
    parts = {
        key: [row for line in read.results for row in line[key]]
        for key in (CELLS, COUNTS, MUDDIED, ELSEWHERE)
    }
    cells = cells_told(parts[CELLS], len(chosen.cuped_measures) + 1 if past else 0)
    ratios = _ratios(cells, experiment, chosen.srm_alpha)
    counts = segment_counts(parts[COUNTS], chosen.max_cities) if past else []
    muddied = contamination(parts[MUDDIED], parts[ELSEWHERE])
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


def _users_work(
    lake: Lake,
    tasks: Tasks,
    settings: Settings,
    experiment: Experiment,
    until: date,
    others: Sequence[str],
    bought: tuple[Parcel, ...],
    *,
    past: bool,
) -> ReadUsers:
    name = experiment.latest.name
    if not lake.exists(ASSIGNMENTS.name):
        raise DataError(f"experiment {name} has no users yet: run experiment assign again")

    def files(table: str, columns: list[str], *experiments: str) -> tuple[DataFile, ...]:
        return files_of(lake, tasks, table, columns, [{"experiment": each} for each in experiments])

    assigned = files(ASSIGNMENTS.name, ASSIGNED.names(), name)
    columns = ["experiment", "user_id", "group", "assigned_at"]
    elsewhere = files(ASSIGNMENTS.name, columns, *others) if others else ()
    exposures: tuple[DataFile, ...] = ()
    if lake.exists(EXPOSURES.name):
        exposures = files(EXPOSURES.name, ["user_id", "exposed_at"], name)
    return ReadUsers(
        assigned=assigned,
        bought=bought,
        past=_past(lake, tasks, settings, experiment) if past else None,
        elsewhere=elsewhere,
        exposures=exposures if any(file.rows for file in exposures) else None,
        until=until,
    )


def _past(lake: Lake, tasks: Tasks, settings: Settings, experiment: Experiment) -> Past:
    """Nobody entered before the start, so that months too far before it aren't read."""
    chosen = settings.experiments
    schema = lake.schema("user_month")
    unknown = [name for name in chosen.cuped_measures if schema is None or name not in schema.names]
    if unknown:
        raise DataError(f"experiments.cuped_measures: table user_month has no {', '.join(unknown)}")
    first = month_after(experiment.started, -chosen.pre_months)
    names = list(dict.fromkeys(["plays", *chosen.cuped_measures]))
    groups = group_names(lake, "user_month")
    columns = {
        "users": ["user_id", "city"],
        "user_debuts": ["user_id", "first_event_at"],
        "user_month": ["user_id", "month", *names, *([TOP_GROUP] if groups else [])],
    }
    files = {
        table: tuple(
            file
            for file in files_of(lake, tasks, table, columns_needed)
            if table != "user_month" or file.partition["month"] >= first
        )
        for table, columns_needed in columns.items()
    }
    return Past(
        files["users"],
        files["user_debuts"],
        files["user_month"],
        chosen.cuped_measures,
        chosen.pre_months,
        Groups(files["user_month"], groups) if groups else None,
    )


def _overlap(other: Experiment, mine: Experiment) -> bool:
    """Whether the other ran at any time since mine began."""
    return other.ended is None or other.ended > mine.started


def _ratios(cells: Cells, experiment: Experiment, alpha: float) -> list[Row]:
    """Sizes of groups under each allocation. Raises `GuardError` on a mismatch, `DataError` on no users."""
    if cells.frame.empty:
        raise DataError(f"experiment {experiment.latest.name} has no users who entered before the data's end")
    shares = {each.revision: each.allocation.shares for each in experiment.revisions}
    ratios = [srm.ratio(number, cells.sizes(number), shares[number]) for number in cells.revisions]
    srm.check(ratios, alpha)
    return srm.as_rows(ratios)


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
    return fingerprint_of(content)
