"""A month's features, scores and labels beside the reference -> the table `monitoring`, alerts, a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.features.catalogue import catalogue_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.monitoring import table
from pozytywka_spark.monitoring.counts import FINE, as_cells, by_subject, count_cells, edges_of
from pozytywka_spark.monitoring.findings import (
    SCORE,
    Alert,
    Row,
    alerts_of,
    drift_rows,
    exempt_of,
    is_retrain_advised,
    performance_rows,
)
from pozytywka_spark.monitoring.inputs import Inputs, join_labels, monitoring_id, read_inputs
from pozytywka_spark.monitoring.page import render
from pozytywka_spark.monitoring.performance import REALISED, measure, with_probability
from pozytywka_spark.monitoring.runs import log_months
from pozytywka_spark.schemas import MONITORING
from pozytywka_spark.training.booster import MARGIN, with_margin
from pozytywka_spark.training.predicted import has_own_labels
from pozytywka_spark.training.rows import LABEL
from pozytywka_spark.training.serving import ServingModel
from pozytywka_spark.training.sources import monitored_inputs
from pozytywka_spark.training.tracking import registry, runs
from pozytywka_spark.training.tracking.store import Tracking, connect


@dataclass(frozen=True)
class MonitoringReport:
    """What a month looks like: alerts, whether a new model is advised, and where everything is.

    `findings` are the month's rows of the table; `backfilled` the earlier months whose performance was
    measured now that their labels are known; `page` is the HTML text. `complete`: the data cover the whole
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
    identity = monitoring_id(inputs, model, settings)
    known = [row for row in trend if row["month"] == inputs.month]
    unchanged = any(row["monitoring_id"] == identity for row in known)
    made = [] if unchanged else table.completed(
        _findings(inputs, model, tracking, settings),
        {"month": inputs.month, "model_version": model.version, "reference": inputs.span,
         "monitoring_id": identity, "label": model.label, "horizon_days": model.horizon,
         "complete": inputs.chosen.complete},
    )  # fmt: skip
    late = _backfill(settings, lake, tracking, trend, inputs.month)
    if made or late:
        months = {row["month"] for row in late}
        kept = [row for row in trend if row["month"] in months and row["month"] != inputs.month]
        table.write(spark, lake, [*made, *kept, *late])
    trend = table.read_trend(lake, inputs.month)
    page = render(trend, inputs.month, settings.monitoring)
    read = monitored_inputs(lake, inputs.month)
    run = log_months(tracking, model, trend, {inputs.month, *(row["month"] for row in late)}, page, read)
    return _report(settings, lake, tracking, model, inputs, trend, late, page, run, unchanged=unchanged)


def _findings(inputs: Inputs, model: ServingModel, tracking: Tracking, settings: Settings) -> list[Row]:
    """Drift of all features and of the score, and the model's performance: a row each."""
    keep = [*(name for name in inputs.rows.columns if name in ("user_id", "month", LABEL)), *model.features]
    scored = with_margin(inputs.rows, model.predictor, model.features, keep).persist()
    try:
        rows = _drift(scored, inputs, model, settings)
        here = scored.where(F.col("month") == F.lit(inputs.month))
        slim = here.select("user_id", "month", LABEL, model.calibrator.of(F.col(MARGIN)).alias("score"))
        measured = measure(slim, settings.evaluation.bootstrap, settings.evaluation.seed)[inputs.month]
        size = next(row["rows"] for row in rows if row["subject"] == SCORE)
        baseline = _baseline(tracking, model)
        return [*rows, *performance_rows(measured, baseline, settings.monitoring, size)]
    finally:
        scored.unpersist()


def _drift(scored: DataFrame, inputs: Inputs, model: ServingModel, settings: Settings) -> list[Row]:
    """The bins come from a bounded sample of the reference, the counts from all of it, in one pass."""
    chosen = settings.monitoring
    earlier = scored.where(F.col("month") != F.lit(inputs.month))
    dice = F.xxhash64("user_id", "month", F.lit(chosen.seed))
    names = [*model.features, MARGIN]
    subjects = [*model.features, SCORE]
    edges = edges_of(
        as_cells(earlier.orderBy(dice, "user_id", "month").limit(chosen.edge_rows), names)
    ).persist()
    try:
        counted = by_subject(count_cells(as_cells(scored, names), edges, inputs.month), subjects)
        found = {row["place"]: row for row in edges.collect()}
        values = {
            name: [found[place][f"e{k}"] for k in range(1, FINE)]
            for place, name in enumerate(subjects)
            if place in found and found[place]["e1"] is not None
        }
        users = earlier.agg(F.count_distinct("user_id").alias("users")).first()
        exempt = exempt_of(catalogue_of(settings), chosen, inputs.history)
        return drift_rows(counted, values, float(users["users"] if users else 0), exempt, chosen)
    finally:
        edges.unpersist()


def _backfill(
    settings: Settings, lake: Lake, tracking: Tracking, trend: Sequence[Row], month: date
) -> list[Row]:
    """Realised performance of earlier months whose labels have matured, by the model that was monitored."""
    found: list[Row] = []
    open_months = table.without_outcome(trend, month)
    for version in sorted(set(open_months.values())):
        months = [each for each, number in open_months.items() if number == version]
        model = registry.load_version(tracking, version)
        if not has_own_labels(lake, model):
            continue  # of another label than the champion's: its months stay open
        features = lake.read("features", partitions=[{"month": each} for each in months])
        rows = join_labels(features.select("user_id", "month", *model.features), model, lake)
        mature = rows.where(F.col(LABEL).isNotNull())
        scored = with_probability(mature, model).persist()
        try:
            if scored.isEmpty():
                continue
            measured = measure(scored, settings.evaluation.bootstrap, settings.evaluation.seed)
        finally:
            scored.unpersist()
        baseline = _baseline(tracking, model)
        for each, kinds in measured.items():
            first = next(row for row in trend if row["month"] == each)
            names = ("month", "model_version", "reference", "monitoring_id", "complete")
            common = {name: first.get(name) for name in names}  # an older table may lack one
            common |= {"label": model.label, "horizon_days": model.horizon}
            size = next(row["rows"] for row in trend if row["month"] == each and row["subject"] == SCORE)
            realised = performance_rows({REALISED: kinds[REALISED]}, baseline, settings.monitoring, size)
            found += table.completed(realised, common)
    return found


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
