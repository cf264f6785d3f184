"""Before the start: what the users at hand can show, from how often their like bought in the past."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.experiments.analysis.past_work import CountPastBuyers, shares_told
from pozytywka_spark.experiments.analysis.power import sequential_alpha, smallest_effect, users_needed
from pozytywka_spark.experiments.assignment.cut_offs import next_cut_off
from pozytywka_spark.experiments.assignment.enrol_work import Premium
from pozytywka_spark.experiments.assignment.population import (
    CountFree,
    find_members,
    members_in,
    premium_at,
)
from pozytywka_spark.experiments.slices import all_slices, bytes_of, files_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.months import month_after, previous_month

HORIZONS = (1, 2, 3, 6, 12)


@dataclass(frozen=True)
class PlanReport:
    """Eligible users at the cut-off, and a row a horizon in months."""

    at: date
    population: str
    users: int
    share: float
    rows: Sequence[Mapping[str, Any]]


def plan(
    settings: Settings,
    lake: Lake,
    share: float,
    at: date | None = None,
    *,
    baseline: float | None = None,
    lift: float | None = None,
) -> PlanReport:
    """What an experiment from `at` on, `share` percent treated, could find after 1 to 12 months.

    The premium share that control will reach is that of users who were free and listened the same number
    of months before `at`, or `baseline` (a share, for every horizon). With `lift` (percent) also the users
    needed to find it. Raises `UsageError` for a share that is none, `DataError` if nobody is eligible.
    """
    if not 0 < share < 100:
        raise UsageError(f"--share {share:g}: expected a percentage above 0 and below 100")
    if baseline is not None and not 0 < baseline < 1:
        raise UsageError(f"--baseline {baseline:g}: expected a share above 0 and below 1, such as 0.03")
    cut_off = at or next_cut_off(lake, settings.data)
    chosen = settings.experiments
    with lake.tasks() as tasks:
        members = find_members(lake, tasks, chosen.population, cut_off)
        premium = premium_at(lake, tasks, cut_off)
        users = _free_users(tasks, members, premium)
        if baseline is None:
            baselines = past_shares(lake, tasks, premium.bought, cut_off)
        else:
            baselines = dict.fromkeys(HORIZONS, baseline)
    if not baselines:
        raise DataError(f"no month before {cut_off} has users to learn a purchase rate from: give --baseline")
    treated = round(users * share / 100)
    rows = [
        row_of(horizon, base, treated, users - treated, chosen.alpha, chosen.power, lift)
        for horizon, base in sorted(baselines.items())
    ]
    return PlanReport(cut_off, chosen.population, users, share, rows)


def _free_users(tasks: Tasks, members: tuple[Parcel, ...], premium: Premium) -> int:
    done = tasks.run(
        all_slices(members),
        CountFree(members, premium),
        weight=lambda _: bytes_of([*members, *premium.bought, *premium.users]),
        named=lambda item: f"users, slice {item.number + 1} of {item.slices}",
    )
    return sum(int(line["free"]) for line in done.results)


def past_shares(lake: Lake, tasks: Tasks, bought: tuple[Parcel, ...], at: date) -> dict[int, float]:
    """By horizon h: of users free h months before `at` who had listened in the month before that, the share
    who bought within [at - h months, at). `bought`: first purchases by file."""
    horizons = {previous_month(month_after(at, -horizon)): horizon for horizon in HORIZONS}
    months = [{"event_month": month} for month in horizons]
    listened = members_in(tasks, files_of(lake, tasks, "events", ["user_id"], months))
    done = tasks.run(
        all_slices(listened),
        CountPastBuyers(listened, bought, at),
        weight=lambda _: bytes_of([*listened, *bought]),
        named=lambda item: f"users of the past, slice {item.number + 1} of {item.slices}",
    )
    return {horizons[month]: share for month, share in shares_told(done.results).items()}


def row_of(
    months: int, baseline: float, treated: int, control: int, alpha: float, power: float, lift: float | None
) -> dict[str, Any]:
    """A line of the plan. Effects in percentage points; None where none can be found."""
    once = smallest_effect(baseline, treated, control, alpha, power)
    always = smallest_effect(baseline, treated, control, sequential_alpha(alpha), power)
    row: dict[str, Any] = {
        "months": months,
        "control": _points(baseline),
        "one look": _points(once),
        "lift": _points(once / baseline if baseline else math.nan),
        "any look": _points(always),
        "lift ": _points(always / baseline if baseline else math.nan),
    }
    if lift is not None:
        share = treated / max(1, treated + control)
        needed = users_needed(baseline, baseline * lift / 100, share, alpha, power)
        row[f"users {lift:+g}%"] = None if math.isnan(needed) else math.ceil(needed)
    return row


def _points(value: float) -> str | None:
    return None if math.isnan(value) else f"{100 * value:.2f}"
