"""Experiments, told to the person at the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pozytywka_spark import cli

if TYPE_CHECKING:
    from pozytywka_spark.experiments.analysis.plan import PlanReport
    from pozytywka_spark.experiments.assignment.assign import AssignReport
    from pozytywka_spark.experiments.stage import ExperimentReport


def show_assignment(report: AssignReport) -> None:
    """Print who was assigned and how large the groups are now."""
    cli.say(f"experiment {report.experiment}, revision {report.revision}, cut-off {report.at}")
    if report.fates:
        cli.show_table("users", [{"fate": fate, "users": count} for fate, count in report.fates.items()])
    cli.show_table("groups", report.groups)
    if report.moved:
        cli.say(f"{report.moved:,} users moved from control into treatment")
    if not report.added and not report.moved:
        cli.say("nobody new: nothing to do")


def show_plan(report: PlanReport) -> None:
    """Print what could be found."""
    cli.say(
        f"{report.users:,} users without premium at {report.at} ({report.population}), "
        f"{report.share:g}% treated"
    )
    cli.show_table(
        "share that control buys, smallest rise found (points) and its lift, all in %", report.rows
    )
    cli.say(
        "one look: a single reading after so many months; any look: the reading may be looked at every month"
    )


def show_report(report: ExperimentReport) -> None:
    """Print the readings, whether the comparison is fair, and where everything is."""
    from pozytywka_spark.experiments.analysis import text
    from pozytywka_spark.experiments.analysis.reading import CUMULATIVE, MONTH, SEGMENT

    reading = report.reading
    cli.show_table("from the start", text.month_table(reading.of(CUMULATIVE)))
    cli.show_table("difference, from the start", text.difference_table(reading.of(CUMULATIVE)))
    cli.show_table("relative lift", text.lift_table(reading.of(CUMULATIVE)))
    cli.show_table("with CUPED, for one look", text.cuped_table(reading.of(CUMULATIVE)))
    cli.show_table("month by month", text.month_table(reading.of(MONTH)))
    cli.show_table("difference, month by month", text.difference_table(reading.of(MONTH)))
    cli.show_table(
        "segments, from the start (p corrected for their number)", text.segment_table(reading.of(SEGMENT))
    )
    cli.show_table("sample ratio", reading.ratios)
    cli.show_table("users who are not what their group says", reading.contamination)
    for note in reading.notes:
        cli.say(f"note: {note}")
    for row in reading.of(CUMULATIVE):
        if row["month"] == reading.months[-1]:
            cli.say(text.verdict(row))
    if report.unchanged:
        cli.say("the same was read before: nothing has changed")
    cli.say(f"page     {report.path}")
    cli.say(f"run      {report.run_id}")
