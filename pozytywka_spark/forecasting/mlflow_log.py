"""What a forecast leaves in MLflow: one run with its settings, errors, coverage and page."""

from __future__ import annotations

from pozytywka_spark.config import Settings, deciding
from pozytywka_spark.forecasting.error_sums import Accuracy, by_model
from pozytywka_spark.forecasting.run import ForecastReport
from pozytywka_spark.forecasting.stored import DAILY
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import SERIES_DAILY, SERIES_MONTHLY
from pozytywka_spark.tracking import runs
from pozytywka_spark.tracking.inputs import log_inputs
from pozytywka_spark.tracking.notes import KIND
from pozytywka_spark.tracking.sources import table_inputs
from pozytywka_spark.tracking.store import connect

FORECAST = "pozytywka.forecast"  # the tag whose value `forecasts.run` has too
KIND_OF_RUN = "forecast"
_READ = (SERIES_DAILY.name, SERIES_MONTHLY.name)


def logged_run(settings: Settings, run: str) -> str | None:
    """MLflow's run of that forecast, None if there is none that has ended."""
    found = runs.tagged(connect(settings), FORECAST, run)
    return found[0] if found else None


def log_forecast(settings: Settings, lake: Lake, report: ForecastReport, page: str) -> str:
    """The run of a forecast that was made. Runs of those that died while they were logged are ended."""
    tracking = connect(settings)
    runs.close_abandoned(tracking, KIND, KIND_OF_RUN)
    asked = report.asked
    name = f"forecast {asked.origin} · {asked.horizon} days"
    with runs.run(tracking, name, tags={KIND: KIND_OF_RUN, FORECAST: asked.run}) as run_id:
        log_inputs(tracking, run_id, table_inputs(lake, _READ, "forecast"))
        params = {
            "origin": asked.origin,
            "horizon": asked.horizon,
            "first_day": asked.first,
            "series": asked.series,
            "months": "–" if asked.months is None else f"{asked.months[0]:%Y-%m}..",
        }
        runs.log(tracking, run_id, params=params, metrics=_metrics(report))
        runs.log_json(tracking, run_id, deciding(settings, "forecast"), "settings.json")
        runs.log_text(tracking, run_id, page, "forecast.html")
    return run_id


def _metrics(report: ForecastReport) -> dict[str, float]:
    """Errors and coverage by measure (`monthly.…` by months), of all days together, by model; failures."""
    metrics = {f"error.{model}": value for model, value in by_model(report.sums).items()}
    metrics |= {f"failures.{model}": float(count) for model, count in report.failures.items()}
    metrics |= {"forecast_rows": float(report.rows), "series": float(report.asked.series)}
    for each in report.accuracy:
        prefix = "" if each.step == DAILY else "monthly."
        metrics |= {f"{prefix}{each.measure}.{name}": value for name, value in _figures(each).items()}
    return metrics


def _figures(each: Accuracy) -> dict[str, float]:
    values = {
        "error": each.error,
        "error_to_naive": each.relative,
        "inside_80": each.inside_80,
        "inside_90": each.inside_90,
    }
    return {name: value for name, value in values.items() if value is not None}
