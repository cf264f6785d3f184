"""An estimate of who was persuaded, shown to the person at the terminal."""

from __future__ import annotations

from pozytywka_spark import cli
from pozytywka_spark.experiments.uplift.report import UpliftReport


def show_uplift(report: UpliftReport) -> None:
    """Print the curves and what to make of them."""
    rows = [
        {"treated %": round(100 * points[0]["share"])}
        | {
            f"extra buyers per 100, by {by}": 100 * point["gain"]
            for by, point in zip(report.curves, points, strict=True)
        }
        for points in zip(*report.curves.values(), strict=True)
    ]
    cli.show_table(f"{report.treatment} against control, {report.users:,} users", rows[1::2])
    cli.show_table("area between curve and chance, per 100 users", report.areas)
    cli.say(report.verdict)
    if report.unchanged:
        cli.say("the same users were estimated before: models were not fitted again")
    cli.say(f"page     {report.path}")
    cli.say(f"run      {report.run_id}")
