"""A month's features, scores and labels beside the reference -> the table `monitoring`, alerts, a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.features.declared.catalogue import declared_for
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.models.target import has_own_labels
from pozytywka_spark.monitoring import table
from pozytywka_spark.monitoring.alerts import (
    SCORE,
    Alert,
    Row,
    alerts_of,
    drift_rows,
    exempt_of,
    is_retrain_advised,
    performance_rows,
)
from pozytywka_spark.monitoring.inputs import Inputs, content_of, monitoring_id, read_inputs, read_parts
from pozytywka_spark.monitoring.month_work import (
    SAMPLE,
    SCORED,
    CountedPart,
    CountRows,
    LookAtReference,
    MeasureMonths,
    MonthPart,
    Reference,
    ScoredMonth,
    ScoreMonths,
    counts_told,
    measured_told,
)
from pozytywka_spark.monitoring.page import render
from pozytywka_spark.monitoring.performance import REALISED, Measured
from pozytywka_spark.monitoring.runs import log_months
from pozytywka_spark.reports.notebook import card
from pozytywka_spark.schemas import MONITORING
from pozytywka_spark.scoring.month_work import MARGIN
from pozytywka_spark.tracking import registry, runs
from pozytywka_spark.tracking.sources import monitored_inputs
from pozytywka_spark.tracking.store import Tracking, connect


@dataclass(frozen=True)
class MonitoringReport:
    """What a month looks like: alerts, whether a new model is advised, and where everything is.

    `findings` are the month's rows of the table; `backfilled` the earlier months whose performance was
    measured now that their labels are known; `page` is the HTML text, `page_file` where it was
    written, if it was. `complete`: the data cover the whole
    month; `note` says what a person should know of the month's choice.
    """

    month: date
    reference: str
    model_name: str
    model_version: int
    label: str
    findings: Sequence[Row]
    backfilled: Sequence[date]
    alerts: tuple[Alert, ...]
    retrain_advised: bool
    path: str
    page: str
    run_id: str
    tracking_uri: str
    unchanged: bool
    complete: bool = True
    note: str = ""
    page_file: str = ""

    def _repr_html_(self) -> str:
        title = f"{self.month:%Y-%m} beside {self.reference}, {self.model_name} version {self.model_version}"
        rows = [row for row in self.findings if row["alert"]]
        columns = ("subject", "metric", "value", "threshold", "detail")
        tables = {"alerts": [{name: row[name] for name in columns} for row in rows]}
        advice = f"a new model is {'' if self.retrain_advised else 'not '}advised"
        return card(title, tables, [self.note, f"{len(self.alerts)} alerts; {advice}"], self.page_file)


def monitor(
    spark: SparkSession,
    settings: Settings,
    lake: Lake,
    month: date | None = None,
    reference: tuple[date, date] | None = None,
) -> MonitoringReport:
    """Compare `month` (default: the last complete one) with the reference and measure what has become known.

    Replaces the month's rows in `monitoring`, and those of earlier months whose labels have matured
    since; the same inputs leave the table alone. Raises `TrackingError` without a champion, `DataError`
    for a missing table, month or reference or without the label that the champion was trained for (which
    counts, whatever the settings name), `GuardError` if the champion's features aren't today's.
    """
    tracking = connect(settings)
    model = registry.load_model(tracking)
    inputs = read_inputs(settings, lake, model, month, reference)
    trend = table.read_trend(lake, inputs.month)
    with lake.tasks() as tasks:
        parts = read_parts(lake, tasks, model, (*inputs.reference, inputs.month))
        identity = monitoring_id(inputs, model, settings, content_of(tasks, parts, model))
        month_rows = [row for row in trend if row["month"] == inputs.month]
        unchanged = any(row["monitoring_id"] == identity for row in month_rows)
        made = [] if unchanged else table.completed(
            _findings(tasks, parts, inputs, model, tracking, settings),
            {"month": inputs.month, "model_version": model.version, "reference": inputs.span,
             "monitoring_id": identity, "label": model.label, "horizon_days": model.horizon,
             "complete": inputs.chosen.complete},
        )  # fmt: skip
        late = _backfill(settings, lake, tasks, tracking, trend, inputs.month)
    if made or late:
        months = {row["month"] for row in late}
        other_rows = [row for row in trend if row["month"] in months and row["month"] != inputs.month]
        table.write(lake, [*made, *other_rows, *late])
    trend = table.read_trend(lake, inputs.month)
    page = render(trend, inputs.month, settings.monitoring)
    read = monitored_inputs(lake, inputs.month)
    run = log_months(tracking, model, trend, {inputs.month, *(row["month"] for row in late)}, page, read)
    return _report(settings, lake, tracking, model, inputs, trend, late, page, run, unchanged=unchanged)


def _findings(
    tasks: Tasks,
    parts: Sequence[MonthPart],
    inputs: Inputs,
    model: ServingModel,
    tracking: Tracking,
    settings: Settings,
) -> list[Row]:
    """Drift of all features and of the score, and the model's performance: a row each."""
    scored = _scored(tasks, parts, inputs.month, model, settings)
    rows = _drift(tasks, parts, scored, inputs, model, settings)
    measured = _measured(tasks, scored, [inputs.month], settings)[inputs.month]
    size = next(row["rows"] for row in rows if row["subject"] == SCORE)
    return [*rows, *performance_rows(measured, _baseline(tracking, model), settings.monitoring, size)]


def _scored(
    tasks: Tasks, parts: Sequence[MonthPart], month: date, model: ServingModel, settings: Settings
) -> Done:
    work = ScoreMonths(model, month, settings.monitoring.edge_rows, settings.monitoring.seed)
    return tasks.run(parts, work, weight=lambda part: part.size, named=lambda part: f"{part.month:%Y-%m}")


def _measured(
    tasks: Tasks, scored: Done, months: Sequence[date], settings: Settings
) -> dict[date, dict[str, dict[str, Measured]]]:
    items = [
        ScoredMonth(month, tuple(one for one in scored.of(SCORED) if one.key[0] == month.isoformat()))
        for month in months
    ]
    work = MeasureMonths(settings.evaluation.bootstrap, settings.evaluation.seed)
    items = [item for item in items if item.scored]
    done = tasks.run(items, work, weight=lambda item: item.size, named=lambda item: f"{item.month:%Y-%m}")
    return measured_told(done.results)


def _drift(
    tasks: Tasks,
    parts: Sequence[MonthPart],
    scored: Done,
    inputs: Inputs,
    model: ServingModel,
    settings: Settings,
) -> list[Row]:
    """The bins come from a bounded sample of the reference, the counts from all of it."""
    monitoring, here = settings.monitoring, inputs.month.isoformat()
    names = (*model.features, MARGIN)
    earlier = tuple(one for one in scored.of(SCORED) if one.key[0] != here)
    look = LookAtReference(names, monitoring.edge_rows, monitoring.seed)
    seen = tasks.run(
        [Reference(tuple(scored.of(SAMPLE)), earlier)],
        look,
        weight=lambda reference: reference.size,
        named=lambda _: f"reference {inputs.span}",
    ).results[0]
    by_key = {part.key: part for part in parts}
    items = [CountedPart(by_key[one.key], one) for one in scored.of(SCORED)]
    results = tasks.run(
        items,
        CountRows(seen["edges"]),
        weight=lambda item: item.size,
        named=lambda item: f"{item.part.month:%Y-%m}",
    ).results
    sides = [
        counts_told([line for line in results if (line["month"] == here) == of_month], names)
        for of_month in (False, True)
    ]
    named = {name: SCORE if name == MARGIN else name for name in names}
    counts = {named[name]: (sides[0][name], sides[1][name]) for name in names}
    edges = {named[name]: values for name, values in seen["edges"].items() if values is not None}
    exempt = exempt_of(declared_for(settings), monitoring, inputs.history)
    return drift_rows(counts, edges, float(seen["users"]), exempt, monitoring)


def _backfill(
    settings: Settings, lake: Lake, tasks: Tasks, tracking: Tracking, trend: Sequence[Row], month: date
) -> list[Row]:
    """Realised performance of earlier months whose labels have matured, by the model that was monitored."""
    rows: list[Row] = []
    open_months = table.without_outcome(trend, month)
    for version in sorted(set(open_months.values())):
        months = [each for each, number in open_months.items() if number == version]
        model = registry.load_version(tracking, version)
        if not has_own_labels(lake, model):
            continue  # of another label than the champion's: its months stay open
        parts = read_parts(lake, tasks, model, months)
        measured = _measured(tasks, _scored(tasks, parts, month, model, settings), months, settings)
        baseline = _baseline(tracking, model)
        for each, kinds in measured.items():
            if REALISED not in kinds:
                continue
            first = next(row for row in trend if row["month"] == each)
            names = ("month", "model_version", "reference", "monitoring_id", "complete")
            common = {name: first.get(name) for name in names}  # an older table may lack one
            common |= {"label": model.label, "horizon_days": model.horizon}
            size = next(row["rows"] for row in trend if row["month"] == each and row["subject"] == SCORE)
            realised = performance_rows({REALISED: kinds[REALISED]}, baseline, settings.monitoring, size)
            rows += table.completed(realised, common)
    return rows


def _baseline(tracking: Tracking, model: ServingModel) -> Mapping[str, float]:
    """Metrics of the model's own test months; none if its training run is gone."""
    run = runs.find(tracking, model.run_id) if model.run_id else None
    return dict(run.data.metrics) if run is not None else {}


def _report(
    settings: Settings,
    lake: Lake,
    tracking: Tracking,
    model: ServingModel,
    inputs: Inputs,
    trend: Sequence[Row],
    late: Sequence[Row],
    page: str,
    run: str,
    *,
    unchanged: bool,
) -> MonitoringReport:
    of_month = [row for row in trend if row["month"] == inputs.month]
    alerts = alerts_of([*of_month, *_latest_outcome(trend, inputs.month, model.version)])
    return MonitoringReport(
        month=inputs.month,
        complete=inputs.chosen.complete,
        note=inputs.chosen.note,
        reference=inputs.span,
        model_name=model.name,
        model_version=model.version,
        label=model.label,
        findings=of_month,
        backfilled=sorted({row["month"] for row in late}),
        alerts=alerts,
        retrain_advised=is_retrain_advised(alerts, settings.monitoring),
        path=lake.path(MONITORING.name),
        page=page,
        run_id=run,
        tracking_uri=tracking.uri,
        unchanged=unchanged and not late,
    )


def _latest_outcome(trend: Sequence[Row], month: date, version: int) -> list[Row]:
    """Realised rows of the last month before `month` that has any under this model: news until the next."""
    realised = [
        row
        for row in trend
        if row["month"] < month and row["model_version"] == version and row["metric"].startswith("realised_")
    ]
    last = max((row["month"] for row in realised), default=None)
    return [row for row in realised if row["month"] == last]
