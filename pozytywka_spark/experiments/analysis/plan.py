"""Before the start: what the users at hand can show, from how often their like bought in the past."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.experiments.analysis.power import sequential_alpha, smallest_effect, users_needed
from pozytywka_spark.experiments.assignment.eligibility import candidates, next_cut_off
from pozytywka_spark.experiments.assignment.purchases import first_purchases
from pozytywka_spark.lake.api import Lake
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
    eligible = candidates(lake, chosen.population, cut_off).agg(F.count_if(~F.col("premium")).alias("users"))
    users = int(eligible.collect()[0]["users"])
    if baseline is None:
        baselines = past_shares(lake.read("events"), cut_off)
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


def past_shares(events: DataFrame, at: date) -> dict[int, float]:
    """By horizon h: of users free h months before `at` who had listened in the month before that, the share
    who bought within [at - h months, at)."""
    starts = {horizon: month_after(at, -horizon) for horizon in HORIZONS}
    before = {previous_month(start): (horizon, start) for horizon, start in starts.items()}
    listened = (
        events.where(F.col("event_month").isin(list(before))).select("user_id", "event_month").distinct()
    )
    bought = F.col("purchased_at")
    start = F.add_months("event_month", 1).cast("timestamp")
    free = bought.isNull() | (bought >= start)
    counted = (
        listened.join(first_purchases(events), "user_id", "left")
        .where(free)
        .groupBy("event_month")
        .agg(
            F.count(F.lit(1)).alias("users"),
            F.count_if(bought < F.lit(at).cast("timestamp")).alias("bought"),
        )
        .collect()
    )
    return {before[row["event_month"]][0]: row["bought"] / row["users"] for row in counted}


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
