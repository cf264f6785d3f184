"""What the forecast job shows."""

from __future__ import annotations

from pozytywka_spark import cli
from pozytywka_spark.forecasting.error_sums import by_model
from pozytywka_spark.forecasting.forecast import Made
from pozytywka_spark.forecasting.page import plan_rows
from pozytywka_spark.forecasting.plan import Plan
from pozytywka_spark.forecasting.run import ForecastReport
from pozytywka_spark.forecasting.stored import DAILY


def show_made(made: Made) -> None:
    """A forecast with its page and run."""
    show_forecast(made.report)
    if made.page is not None:
        cli.say(f"page {made.page}")
    cli.say(f"run  {made.run_id}")


def show_forecast(report: ForecastReport) -> None:
    """What was forecast, and how well the backtest went."""
    asked = report.asked
    cli.say(report.built.span)
    if report.built.unchanged:
        cli.say("series: nothing new")
    else:
        months = report.built.months
        made = f"{months[0]:%Y-%m} to {months[-1]:%Y-%m}"
        cli.say(f"series: {len(months)} months made, {made}; {report.built.series:,} series by day")
    what = f"{asked.series:,} series from {asked.origin} on, {asked.horizon} days"
    if report.unchanged:
        cli.say(f"{what}: made before from the same inputs, nothing to do")
    else:
        cli.say(f"{what}; {report.rows:,} rows of forecasts" if report.rows else what)
    for note in asked.notes:
        cli.say(f"note: {note}")
    for model, count in report.failures.items():
        cli.say(f"note: model {model} failed or took too long on {count:,} series, which others forecast")
    if report.sums.height:
        rows = [
            {
                "measure": each.measure,
                "step": "day" if each.step == DAILY else "month",
                "error (MASE)": each.error,
                "seasonal naive": each.naive,
                "relative": each.relative,
                "within 80%": each.inside_80,
                "within 90%": each.inside_90,
            }
            for each in report.accuracy
        ]
        cli.show_table("backtest", rows)
        models = sorted(by_model(report.sums).items(), key=lambda item: item[1])
        cli.show_table("models by day", [{"model": model, "error (MASE)": error} for model, error in models])


def show_plan(plan: Plan) -> None:
    """A month's plan."""
    known = f"; {plan.days_known} of the month's days are known" if plan.days_known else ""
    step = "days" if plan.step == DAILY else "months"
    cli.show_table(
        f"plan of {plan.month:%Y-%m}, from the forecast by {step} of {plan.origin}{known}", plan_rows(plan)
    )
