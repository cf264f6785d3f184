"""What the fraud job shows."""

from __future__ import annotations

from collections.abc import Sequence

from pozytywka_spark import cli
from pozytywka_spark.fraud.declared.catalogue import SIGNALS
from pozytywka_spark.fraud.rules.backtest import Backtest, Tried
from pozytywka_spark.fraud.rules.grammar import Rule
from pozytywka_spark.fraud.rules.too_many import check_shares
from pozytywka_spark.fraud.stage import ScanReport


def show_scan(report: ScanReport) -> None:
    """What was scanned."""
    cli.say(report.span)
    if report.unchanged:
        cli.say("events, rules and settings are those of the last scan: nothing to do")
        return
    if report.signals:
        first, last = report.signals[0], report.signals[-1]
        made = f"{len(report.signals)} months of signals, {first:%Y-%m} to {last:%Y-%m}"
        if report.compared is not None:
            made += f"; guard perturbation: {report.compared:,} rows unchanged"
        cli.say(made)
    cli.show_table(
        f"{report.days:,} account-days of {len(report.months)} months",
        [
            {"rule": name, "account-days": count, "share": f"{count / max(1, report.days):.3%}"}
            for name, count in sorted(report.flagged.items())
        ],
    )
    cli.say(f"{report.cases:,} cases, {report.rings:,} of them rings")


def show_rules(rules: Sequence[Rule]) -> None:
    """The rules in force, the signals there are."""
    cli.show_table(
        "rules",
        [
            {
                "rule": rule.name,
                "group": rule.group,
                "meaning": rule.meaning,
                "conditions": " and ".join(map(str, rule.conditions)),
            }
            for rule in rules
        ],
    )
    cli.show_table(
        "signals", [{"signal": each.name, "unit": each.unit, "meaning": each.meaning} for each in SIGNALS]
    )


def show_tried(done: Backtest) -> None:
    """What rules would have found. Raises `DataError` then for one that flags half of all days."""
    cli.show_table(
        f"rules tried on {done.days:,} account-days of {done.months} months; nothing is written",
        [
            {
                "rule": one.rule.name,
                "group": one.rule.group,
                "account-days": one.days,
                "a month": round(one.days / max(1, done.months), 1),
                "share": f"{one.days / max(1, done.days):.3%}",
                "plays": int(one.harm),
                "flagged already": f"{one.known / max(1, one.days):.0%}",
                "most by": _most(one),
                "bad": one.bad,
                "ok": one.ok,
            }
            for one in done.rules
        ],
    )
    check_shares({one.rule.name: one.days for one in done.rules}, done.days)


def _most(tried: Tried) -> str:
    """The rule in force that flags most of the same days."""
    name, count = max(tried.overlap.items(), key=lambda item: item[1], default=("", 0))
    return f"{name} ({count:,})" if count else "none"
