"""The three steps of a month that concern fraud: cases are opened, models decide, what is due is released."""

from __future__ import annotations

from datetime import UTC, datetime, time

from pozytywka_spark.factory.decide import decide
from pozytywka_spark.factory.states import LAKE
from pozytywka_spark.factory.states import read_states as read_sides
from pozytywka_spark.fraud.stage import scan
from pozytywka_spark.moderation.inputs import settled_until
from pozytywka_spark.moderation.release import release_due
from pozytywka_spark.months import as_micros
from pozytywka_spark.orchestration.month_steps import Month, Result
from pozytywka_spark.orchestration.state import SKIPPED
from pozytywka_spark.schemas import CASES

OFF = Result("off; monthly.fraud=true turns it on", SKIPPED)


def scan_month(work: Month) -> Result:
    """Signals, rings and cases of whatever months the deliveries touched."""
    if not work.settings.monthly.fraud:
        return OFF
    scanned = scan(work.spark, work.settings, work.lake)
    return Result(f"{scanned.cases:,} cases in the months scanned" if scanned.months else "nothing new")


def decide_month(work: Month) -> Result:
    """Decisions of the cases opened before the month's end, by whatever sides are in shadow or live."""
    if not work.settings.monthly.fraud:
        return OFF
    if not read_sides(work.lake).of(LAKE).rows:
        return Result("no model was ever built", SKIPPED)
    decided = decide(work.settings, work.lake, _cut_off(work))
    withdrawn = f", {len(decided.withdrawn)} sides withdrawn" if decided.withdrawn else ""
    return Result(f"{sum(decided.cases.values()):,} cases decided{withdrawn}")


def run_month_of_moderation(work: Month) -> Result:
    """Fouls and blocks of all that is due by the month's end; nothing if a later time was released before."""
    if not work.settings.monthly.fraud:
        return OFF
    if not work.lake.exists(CASES.name):
        return Result("no case was ever opened", SKIPPED)
    cut_off = _cut_off(work)
    if as_micros(cut_off) <= settled_until(work.lake):
        return Result("released before", SKIPPED)
    done = release_due(work.settings, work.lake, cut_off)
    return Result(f"{done.releases:,} cases released, {done.fouls:,} fouls, {done.blocks:,} blocks")


def _cut_off(work: Month) -> datetime:
    return datetime.combine(work.cut_off, time(), UTC)
