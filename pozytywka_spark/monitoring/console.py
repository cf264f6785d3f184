"""A monitoring, told to the person at the terminal."""

from __future__ import annotations

from pozytywka_spark import cli
from pozytywka_spark.monitoring.alerts import MODEL, SCORE
from pozytywka_spark.monitoring.stage import MonitoringReport

QUIET, ALERTS = 0, 4
SHOWN = 12


def show_monitoring(report: MonitoringReport) -> int:
    """Print the largest shifts, the model's performance and the alerts; 4 if there are any, else 0."""
    model_name = f"{report.model_name} version {report.model_version}, for {report.label}"
    cli.say(f"{report.month:%Y-%m} beside {report.reference}, by {model_name}")
    if report.note:
        cli.say(report.note)
    psi = [row for row in report.findings if row["metric"] == "psi" and row["value"] is not None]
    judged = [row for row in psi if row["threshold"] is not None]
    largest = sorted(judged, key=lambda row: (row["subject"] != SCORE, -row["value"]))[:SHOWN]
    cli.show_table(
        "the score and the features that moved most (PSI)",
        [
            {name: row[name] for name in ("subject", "value", "threshold", "alert", "detail")}
            for row in largest
        ],
    )
    if len(judged) < len(psi):
        cli.say(
            f"{len(psi) - len(judged)} more features are measured, never alarmed: they grow by nature "
            "(monitoring.exempt), or their window was still filling"
        )
    model = [row for row in report.findings if row["subject"] == MODEL and "bin_" not in row["metric"]]
    columns = ("metric", "value", "low", "high", "threshold", "alert", "detail")
    cli.show_table("the model, 95% intervals", [{name: row[name] for name in columns} for row in model])
    for month in report.backfilled:
        cli.say(f"labels of {month:%Y-%m} are known now: its performance is measured")
    if report.unchanged:
        cli.say("the same features, labels and model were monitored before: nothing to do")
    cli.say(f"trend in {report.path}; run {report.run_id} in {report.tracking_uri}")
    for alert in report.alerts:
        cli.say(f"alert: {alert.words}")
    cli.say(f"{len(report.alerts)} alerts; a new model is {'' if report.retrain_advised else 'not '}advised")
    return ALERTS if report.alerts else QUIET
