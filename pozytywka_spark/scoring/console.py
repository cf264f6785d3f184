"""A scoring, told to the person at the terminal."""

from __future__ import annotations

from pozytywka_spark import cli
from pozytywka_spark.scoring.stage import ScoringReport


def show_scoring(report: ScoringReport) -> None:
    """Print who scored whom, the deciles and where the rows are."""
    model = f"{report.model_name} version {report.model_version} ({report.model_kind})"
    cli.say(f"{report.month:%Y-%m} scored by {model}, for {report.label}")
    if report.note:
        cli.say(report.note)
    cli.show_table("tenths of users, highest first", report.deciles)
    if report.unchanged:
        cli.say("the same users, features and model were scored before: nothing to do")
    cli.say(f"{report.rows:,} users' predictions in {report.path}")
