"""What the forecast job shows."""

from __future__ import annotations

from pozytywka_spark import cli
from pozytywka_spark.forecasting.check import Checked
from pozytywka_spark.forecasting.error_sums import by_model
from pozytywka_spark.forecasting.forecast import Made
from pozytywka_spark.forecasting.page import plan_rows
from pozytywka_spark.forecasting.plan import Plan
from pozytywka_spark.forecasting.run import ForecastReport
from pozytywka_spark.forecasting.stored import DAILY
from pozytywka_spark.forecasting.table import TableReport


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


def show_check(checked: Checked) -> None:
    """What was checked, and what is out of order."""
    if checked.unchanged:
        cli.say(f"every complete day before {checked.until} was checked before, or no forecast reaches it")
    else:
        cli.say(f"{len(checked.days):,} days checked, {checked.days[0]} to {checked.days[-1]}")
    for days, why in (
        (checked.unforetold, "no forecast reaches them: forecast run makes one"),
        (checked.known, "forecast.known_days names them, so they alarm nobody"),
    ):
        if days:
            cli.say(f"note: {len(days):,} days, {days[0]} to {days[-1]}: {why}")
    if checked.alarms:
        rows = [
            {
                "day": alarm.day,
                "measure": alarm.node.measure,
                "city": alarm.node.city,
                "genre group": alarm.node.group_id,
                "actual": alarm.node.actual,
                "expected": alarm.node.mean,
                "p": f"{alarm.node.p():.1e}",
                "detail": alarm.detail,
            }
            for alarm in checked.alarms
        ]
        cli.show_table("out of order", rows)
    elif not checked.unchanged:
        cli.say("nothing is out of order")
    if checked.incomplete:
        days_named = ", ".join(map(str, checked.incomplete))
        cli.say(f"a delivery may be incomplete: far fewer plays than expected on {days_named}")


def show_plan(plan: Plan) -> None:
    """A month's plan."""
    known = f"; {plan.days_known} of the month's days are known" if plan.days_known else ""
    step = "days" if plan.step == DAILY else "months"
    cli.show_table(
        f"plan of {plan.month:%Y-%m}, from the forecast by {step} of {plan.origin}{known}", plan_rows(plan)
    )


def show_table(done: TableReport) -> None:
    """Where a table's forecasts lie, and how its backtest went."""
    cli.say(f"{done.series:,} series, {done.horizon} steps ahead: {done.forecasts}")
    cli.say(f"errors of the backtest: {done.errors}")
    if done.failures:
        cli.say(f"note: {done.failures:,} models of a series failed or took too long; others forecast")
    for by, series in done.fallbacks.items():
        cli.say(f"note: {series:,} series with too little to learn from: forecast by {by}")
    ordered = sorted(done.relative.items(), key=lambda item: item[1])
    rows = [{"model": model, "error, relative": error} for model, error in ordered]
    cli.show_table("backtest, relative to the seasonal naive", rows)
