"""Moderation, told to the person at the terminal."""

from __future__ import annotations

from typing import Any

from pozytywka_spark import cli
from pozytywka_spark.moderation.account import Status
from pozytywka_spark.moderation.report import ModerationReport
from pozytywka_spark.moderation.rows import NEVER
from pozytywka_spark.moderation.run import RunReport
from pozytywka_spark.moderation.stage import ChargebackReport, IntakeReport
from pozytywka_spark.months import as_moment


def show_intake(report: IntakeReport, noun: str) -> None:
    """Print what became of a file's rows, and why some weren't taken."""
    cli.say(
        f"{report.came:,} rows = {report.taken:,} {noun} taken + {report.refused:,} "
        f"{'aside' if noun == 'verdicts' else 'refused'} + {report.duplicates:,} duplicates"
    )
    if report.reasons:
        rows = [{**row, "cases": " ".join(map(str, row["cases"]))} for row in report.reasons]
        cli.show_table("not taken", rows)
    if report.tried:
        cli.say(f"{report.found:,} of {report.tried:,} that had waited aside wait no longer")


def show_chargebacks(report: ChargebackReport) -> None:
    """Print of how many cases they are, and what became of these answers."""
    cli.say(
        f"{report.came:,} chargebacks are answers to {report.answers.came:,} cases of the purchases' days"
    )
    if report.came > report.answers.came:
        cli.say("those without a case may get one by the next fraud scan: hand the file in again then")
    show_intake(report.answers, "verdicts")


def show_run(report: RunReport) -> None:
    """Print what was released."""
    if report.unchanged:
        cli.say(f"a run went up to {_time(report.until)} already: nothing to do")
    else:
        cli.say(f"released what was due up to {_time(report.until)}")
        cli.show_table(
            "rows",
            [
                {
                    "releases": report.releases,
                    "fouls": report.fouls,
                    "blocks": report.blocks,
                    "taken back": report.cancelled,
                    "months discounted": report.months_discounted,
                }
            ],
        )
    if report.late:
        cli.say(
            f"{report.late:,} answers or appeals came too late for the run up to {_time(report.until)}: "
            "they count from then on, once a run goes --until a later time"
        )


def show_status(status: Status) -> None:
    """Print what held of the account."""
    until = status.blocked_until
    cli.say(
        f"user {status.user} at {_time(status.at)}: "
        + ("not blocked" if until is None else f"blocked until {_time(until)}")
    )
    if status.at > status.settled:
        settled = (
            "nothing was released yet"
            if status.settled == NEVER
            else f"runs went up to {_time(status.settled)}"
        )
        cli.say(f"note: {settled}, what is later isn't known")
    cli.show_table(
        "fouls",
        [
            {
                "case": row["case_id"],
                "group": row["group"],
                "day": row["day"],
                "rules": ", ".join(row["rules"] or ()),
                "released": _time(row["released_at"]),
                "by": row["cause"],
                "step": row["step"],
                "belongs to": row["belongs_to"],
                "taken back": row["cancelled"],
            }
            for row in status.fouls
        ],
    )
    cli.show_table(
        "blocks",
        [
            {
                "case": row["case_id"],
                "from": _time(row["starts_at"]),
                "until": _time(row["ends_at"]),
                "step": row["step"],
            }
            for row in status.blocks
        ],
    )
    cli.show_table(
        "appeals",
        [
            {
                "case": row["case_id"],
                "made": _time(row["appealed_at"]),
                "judged": _time(row["decided_at"]),
                "verdict": row["verdict"] or "waiting",
            }
            for row in status.appeals
        ],
    )


def show_report(report: ModerationReport, path: str) -> None:
    """Print the tables of the page, and where it is."""
    cli.show_table("queue, by age", report.queue)
    cli.show_table("verdicts, by reviewer and group", report.answers)
    cli.show_table("fouls, by step", report.fouls)
    cli.show_table("precision of what was released", report.precision)
    cli.show_table("appeals", report.appeals)
    cli.say(f"page {path}")


def _time(micros: Any) -> str | None:
    return None if micros is None else f"{as_moment(micros):%Y-%m-%d %H:%M:%S}"
