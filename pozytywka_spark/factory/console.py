"""What the factory's commands tell."""

from __future__ import annotations

from pozytywka_spark import cli
from pozytywka_spark.factory.build import BuildReport
from pozytywka_spark.factory.decide import DecideReport
from pozytywka_spark.factory.promote import Change

_SHOWN = 40


def show_build(report: BuildReport) -> None:
    """Sides kept and discarded, the first of each by name."""
    kept = [row for row in report.sides if row["threshold"] is not None]
    if report.unchanged:
        cli.say(f"build {report.build_id} is there already: the same inputs build nothing anew")
    else:
        cli.say(
            f"build {report.build_id} as of {report.at:%Y-%m-%d %H:%M}: {len(kept)} of {len(report.sides)} sides kept"  # noqa: E501 one line for a person
        )
    rows = [
        {
            "group": row["group"],
            "side": row["side"],
            "state": row["state"],
            "threshold": "" if row["threshold"] is None else f"{row['threshold']:.4f}",
            "tested": row["tested"],
            "wrong": row["wrong"],
            "at least": f"{row['precision_low']:.4f}",
            "coverage": f"{row['coverage']:.3f}",
            "reason": row["reason"],
        }
        for row in sorted(report.sides, key=lambda row: (row["threshold"] is None, row["group"], row["side"]))
    ]
    cli.show_table("sides", rows[:_SHOWN])
    if len(rows) > _SHOWN:
        cli.say(f"… and {len(rows) - _SHOWN} more in table factory_models")
    if report.looks:
        cli.say(f"{report.looks:,} cases go back to people for a second look")


def show_decided(report: DecideReport) -> None:
    """Cases by mode and decision."""
    for row in report.withdrawn:
        cli.say(f"{row['side']} of group {row['group']} {row['reason']}")
    rows = [{"mode": mode, "decision": said, "cases": n} for (mode, said), n in report.cases.items()]
    cli.show_table(f"decided until {report.until:%Y-%m-%d %H:%M}", rows)
    if report.waiting:
        cli.say(f"{report.waiting:,} audited cases wait for a second look")
    if report.out:
        cli.say(f"written to {report.out}")


def show_change(change: Change) -> None:
    """One line."""
    cli.say(f"{change.row['side']} of group {change.row['group']}: {change.reason}")
