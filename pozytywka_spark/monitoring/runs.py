"""Log monitoring to MLflow: one run per model version, one step per month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.monitoring.alerts import MODEL, SCORE
from pozytywka_spark.monitoring.drift import PSI
from pozytywka_spark.tracking import runs
from pozytywka_spark.tracking.inputs import Input, log_inputs
from pozytywka_spark.tracking.notes import KIND, describe_run, page_of, table
from pozytywka_spark.tracking.run_names import monitoring_name, span
from pozytywka_spark.tracking.store import Tracking

TAG = "pozytywka.monitoring"
MONTHS = "months"  # of a monitoring run: the first and the last month it has measured
PAGE = "monitoring.html"


def log_months(
    tracking: Tracking,
    model: ServingModel,
    trend: Sequence[Mapping[str, Any]],
    months: Iterable[date],
    page: str,
    inputs: Sequence[Input] = (),
) -> str:
    """Log the metrics of `months`, each under the run of the model it was monitored with; the model's run.

    `inputs` are the tables that were read for the last of them.

    A month's step is its number such as 202305. What is logged already with the same value is left alone.
    """
    by_version: dict[int, dict[int, dict[str, float]]] = {model.version: {}}
    for month in sorted(months):
        rows = [row for row in trend if row["month"] == month]
        if rows:
            steps = by_version.setdefault(rows[0]["model_version"], {})
            steps[month.year * 100 + month.month] = metrics_of(rows)
    for version, steps in sorted(by_version.items()):
        runs.log_steps(tracking, run_of(tracking, model.name, version), steps)
    own = run_of(tracking, model.name, model.version)
    runs.log_text(tracking, own, page, PAGE)
    log_inputs(tracking, own, inputs)
    _tell(tracking, own, model, [row for row in trend if row["model_version"] == model.version])
    return own


def run_of(tracking: Tracking, name: str, version: int) -> str:
    """The monitoring run of a model version, made if absent."""
    key = f"{name}/{version}"
    tagged = runs.find_tagged(tracking, TAG, key)
    if tagged is not None:
        return tagged
    with runs.run(tracking, monitoring_name([], version), tags={TAG: key, KIND: "monitoring"}) as made:
        return made


def _tell(tracking: Tracking, run_id: str, model: ServingModel, trend: Sequence[Mapping[str, Any]]) -> None:
    """The run's name, tags and description: the months so far and what the last one brought."""
    run = runs.find(tracking, run_id)
    # an earlier month may be looked at again: then the trend ends with it, and what was there stays
    ends = run.data.tags.get(MONTHS, "").split("..") if run else []
    months = sorted({*(f"{row['month']:%Y-%m}" for row in trend), *(month for month in ends if month)})
    of_last = [row for row in trend if f"{row['month']:%Y-%m}" == months[-1]] if months else []
    if not of_last:
        return
    tags = {
        "label": model.label,
        "horizon_days": str(model.horizon_days),
        "version": str(model.version),
        MONTHS: span(months),
        "alerts": str(sum(bool(row["alert"]) for row in of_last)),
    }
    link = page_of(tracking.experiment_id, run_id, PAGE, "The page")
    text = describe(of_last, months[-1], f"version {model.version} of {model.name}", link)
    describe_run(tracking, run_id, monitoring_name(months, model.version), tags, text)


def describe(rows: Sequence[Mapping[str, Any]], month: str, model: str, link: str) -> str:
    """What a month looked like: alerts first, the model's metrics, where the rest is."""
    with_value = [row for row in rows if row["value"] is not None]
    alerts = [
        f"- **{row['subject']}**: {row['metric']} {row['value']:.4f}" for row in with_value if row["alert"]
    ]
    measured = [
        {"metric": row["metric"], "value": f"{row['value']:.4f}"}
        for row in with_value
        if row["subject"] == MODEL and "bin_" not in row["metric"]
    ]
    parts = [
        f"**{month}, {model}: {len(alerts)} alerts.**" if alerts else f"**{month}, {model}: no alert.**",
        "\n".join(alerts),
        table(measured),
        f"A month's step is its number, such as 202302. {link} has all months and features.",
    ]
    return "\n\n".join(part for part in parts if part)


def metrics_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """A month's metrics: the model's, every PSI, how many alerts."""
    drift = [row for row in rows if row["metric"] == PSI and row["value"] is not None]
    features = [row for row in drift if row["subject"] != SCORE]
    model = [row for row in rows if row["subject"] == MODEL and "bin_" not in row["metric"]]
    metrics = {f"psi.{row['subject']}": row["value"] for row in drift}
    for row in model:
        metrics |= {
            f"{row['metric']}{suffix}": row[part]
            for suffix, part in (("", "value"), ("_low", "low"), ("_high", "high"))
            if row[part] is not None
        }
    metrics["features_drifted"] = float(len({r["subject"] for r in rows if r["alert"]} - {SCORE, MODEL}))
    metrics["alerts"] = float(sum(bool(row["alert"]) for row in rows))
    return metrics | {"psi_highest": max((row["value"] for row in features), default=0.0)}
