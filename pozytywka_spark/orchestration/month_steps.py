"""The steps of a month: each a call of its stage, and one line that says what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.ingest.stage import ingest
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.monitoring.stage import monitor
from pozytywka_spark.months import month_after, next_month, number_of
from pozytywka_spark.orchestration.state import DONE, SKIPPED, read_states
from pozytywka_spark.promotion.aliases import run_gate
from pozytywka_spark.scoring.stage import score
from pozytywka_spark.tracking import registry
from pozytywka_spark.tracking.store import connect
from pozytywka_spark.training.stage import train


@dataclass(frozen=True)
class Result:
    """What came of a step: `outcome` is plain data for the steps after it, kept with the state."""

    detail: str
    state: str = DONE
    outcome: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Month:
    """The month whose work is done; its cut-off is the first of the next month."""

    spark: SparkSession
    settings: Settings
    lake: Lake
    month: date
    outcomes: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def cut_off(self) -> date:
        """The month's end, exclusive."""
        return next_month(self.month)


def ingest_month(work: Month) -> Result:
    """Ingest the delivery; what the lake holds already isn't taken in twice."""
    taken = ingest(work.spark, work.settings, work.lake)
    if taken.ingest_id is None:
        return Result("nothing new")
    total = {name: sum(getattr(each, name) for each in taken.entities) for name in ("read", "quarantined")}
    return Result(f"{total['read']:,} rows read, {total['quarantined']:,} quarantined")


def build_month(work: Month) -> Result:
    """Features of whatever months the deliveries touched. Raises `DataError` if the month itself has none."""
    built = build_features(work.spark, work.settings, work.lake)
    rows = next((row["rows"] for row in built.labels if row["month"] == work.month), 0)
    if not rows:
        months = [row["month"] for row in built.labels]
        span = f"{min(months):%Y-%m} to {max(months):%Y-%m}" if months else "none"
        raise DataError(
            f"no free user was active in {work.month:%Y-%m}: months with features are {span}; "
            "deliver that month's events, or name another month"
        )
    whole = built.span.is_complete(work.month)
    why = "" if whole else f"; the month isn't complete: {built.span.why_incomplete(work.month)}"
    return Result(f"{len(built.months)} months built, {rows:,} users in this one{why}")


def monitor_month(work: Month) -> Result:
    """Monitor the month against the champion's reference; the first month ever has no champion."""
    if champion(work) is None:
        return Result("no champion yet", SKIPPED)
    monitored = monitor(work.spark, work.settings, work.lake, work.month)
    advised = monitored.retrain_advised
    detail = f"{len(monitored.alerts)} alerts" + (", a new model is advised" if advised else "")
    return Result(detail, outcome={"retrain_advised": advised, "alerts": len(monitored.alerts)})


def train_month(work: Month) -> Result:
    """Train if it is due or advised, else say when it will be."""
    reason = why_train(work)
    if reason is None:
        last, monthly = last_trained(work), work.settings.monthly
        due = month_after(last, monthly.retrain_every_months) if last else work.month
        return Result(f"not due before {due:%Y-%m}", SKIPPED)
    trained = train(work.spark, work.settings, work.lake)
    return Result(f"{reason}: version {trained.version}", outcome={"version": trained.version})


def why_train(work: Month) -> str | None:
    """The reason to train in this month, None if there is none.

    Decided by the champion, by earlier months' trainings and by this month's monitoring, all of which
    stand before the step begins: a restart decides the same.
    """
    monthly = work.settings.monthly
    if champion(work) is None:
        return "no champion yet"
    last = last_trained(work)
    if last is None:
        return "no month's work trained before"
    if number_of(work.month) - number_of(last) >= monthly.retrain_every_months:
        return f"last trained in {last:%Y-%m}"
    if monthly.retrain_on_drift and work.outcomes.get("monitor", {}).get("retrain_advised"):
        return "monitoring advised it"
    return None


def last_trained(work: Month) -> date | None:
    """The last month before this one whose work trained a model."""
    states = read_states(work.lake)
    months = [s.month for s in states if s.step == "train" and s.state == DONE and s.month < work.month]
    return max(months, default=None)


def gate_month(work: Month) -> Result:
    """Weigh the new model against the champion."""
    if "version" not in work.outcomes.get("train", {}):
        return Result("no new model", SKIPPED)
    settled = run_gate(work.settings, work.lake, dry_run=False)
    kept = settled.champion != settled.challenger
    verb = "was not better" if kept else "is the champion"
    outcome = {"champion": settled.champion, "kept": kept}
    return Result(f"version {settled.challenger} {verb}", outcome=outcome)


def score_month(work: Month) -> Result:
    """Score the month's free users with the champion."""
    scored = score(work.spark, work.settings, work.lake, work.month)
    marked = "" if scored.complete else ", marked as incomplete"
    return Result(f"{scored.rows:,} users by version {scored.model_version}{marked}")


def champion(work: Month) -> int | None:
    """The champion's version, None before the first training."""
    version = registry.aliased(connect(work.settings), registry.CHAMPION)
    return None if version is None else version.number


def features_until(work: Month) -> list[str]:
    """Names the contents of all features up to the month; deliveries of later months don't change it."""
    builds = work.lake.rows("feature_builds", ["month", "inputs"]).to_pylist()
    built = [row for row in builds if row["inputs"] is not None and row["month"] <= work.month]
    return [row["inputs"] for row in sorted(built, key=lambda row: row["month"])]
