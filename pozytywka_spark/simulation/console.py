"""A simulation, told to the person at the terminal."""

from __future__ import annotations

from pozytywka_spark import cli
from pozytywka_spark.simulation.recommendations import WARNING
from pozytywka_spark.simulation.stage import SimulationReport


def show_simulation(report: SimulationReport) -> None:
    """Print the advice for each segment, what was left out, and the warning."""
    cli.say(f"{report.month:%Y-%m} by {report.model_name} version {report.model_version}")
    for row in (row for row in report.fronts if row["suggested"]):
        interval = f"{row['change']:+.1f} purchases ({row['low']:+.1f} to {row['high']:+.1f})"
        cli.say(f"  {row['advice']}")
        cli.say(
            f"    {interval} of {row['purchases']:.1f} expected of {row['users']:,} users, "
            f"{row['ad_income_lost']:.2f} ad income lost, gain {row['gain']:.2f}"
        )
    if not report.fronts:
        cli.say("no group has users enough to search: choose --segment all, or lower simulation.min_users")
    for note in report.notes:
        cli.say(f"note: {note}")
    cli.say(WARNING)
    if report.unchanged:
        cli.say("the same users, model and settings were simulated before: nothing to do")
    cli.say(f"fronts in {report.path}; run {report.run_id} in {report.tracking_uri}")
