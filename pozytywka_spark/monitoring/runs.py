"""What MLflow is told: one run a model version, a step a month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from pozytywka_spark.monitoring.drift import PSI
from pozytywka_spark.monitoring.findings import MODEL, SCORE
from pozytywka_spark.training.serving import ServingModel
from pozytywka_spark.training.tracking import runs
from pozytywka_spark.training.tracking.store import Tracking

TAG = "pozytywka.monitoring"


def log_months(
    tracking: Tracking,
    model: ServingModel,
    trend: Sequence[Mapping[str, Any]],
    months: Iterable[date],
    page: str,
) -> str:
    """Log the metrics of `months`, each under the run of the model it was monitored with; the model's run.

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
    runs.log_text(tracking, own, page, "monitoring.html")
    return own


def run_of(tracking: Tracking, name: str, version: int) -> str:
    """The monitoring run of a model version, made if absent."""
    key = f"{name}/{version}"
    known = runs.find_tagged(tracking, TAG, key)
    if known is not None:
        return known
    with runs.run(tracking, f"monitoring of version {version}", tags={TAG: key}) as made:
        return made


def metrics_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """A month's metrics: the model's, every PSI, how many alerts."""
    drift = [row for row in rows if row["metric"] == PSI and row["value"] is not None]
    features = [row for row in drift if row["subject"] != SCORE]
    model = [row for row in rows if row["subject"] == MODEL and "bin_" not in row["metric"]]
    found = {f"psi.{row['subject']}": row["value"] for row in drift}
    for row in model:
        found |= {
            f"{row['metric']}{suffix}": row[part]
            for suffix, part in (("", "value"), ("_low", "low"), ("_high", "high"))
            if row[part] is not None
        }
    found["features_drifted"] = float(len({r["subject"] for r in rows if r["alert"]} - {SCORE, MODEL}))
    found["alerts"] = float(sum(bool(row["alert"]) for row in rows))
    return found | {"psi_highest": max((row["value"] for row in features), default=0.0)}
