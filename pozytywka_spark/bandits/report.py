"""Report: a slot's page, from its tables and its policy in the registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.bandits.learn import read_sums
from pozytywka_spark.bandits.log import open_log
from pozytywka_spark.bandits.offpolicy.over_shards import buckets_of
from pozytywka_spark.bandits.page import Shown, render
from pozytywka_spark.bandits.penalty import Measured, measured
from pozytywka_spark.bandits.policies import ALIASES, NamedPolicy, aliased_policy, tracking_of
from pozytywka_spark.bandits.report_work import BY_DAY, BY_GROUP, KEYS, CountShown, together
from pozytywka_spark.bandits.slots import SEASONAL, slot_of
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.reports.files import write_page
from pozytywka_spark.schemas import BANDIT_DAYS, BANDIT_EVALUATIONS
from pozytywka_spark.tracking import runs

DAYS = 90  # the latest logged days, of which decisions are counted


def report(settings: Settings, lake: Lake, slot: str) -> str:
    """Write the page, log it to the run of the policy that it shows; its path. Read only: no table changes.

    Raises `DataError` if no decision was taken in, `UsageError` for a slot that isn't there.
    """
    kind = slot_of(settings, slot).kind
    alias, found = _policy(settings, slot)
    with lake.tasks() as tasks:
        by_day, by_group = _counted(settings, lake, tasks, slot)
    sums = read_sums(lake, slot) if lake.exists(BANDIT_DAYS.name) else pl.DataFrame()
    shown = Shown(
        slot=slot,
        alias=alias,
        policy=found.policy if found else None,
        by_day=by_day,
        by_group=by_group,
        measured=_measured(sums) if kind != SEASONAL else None,
        evaluations=_evaluations(lake, slot),
        seasons=_seasons(settings, lake, slot) if kind == SEASONAL else None,
    )
    name = f"bandits-{slot}.html"
    html = render(shown)
    if found is not None and found.version is not None:
        runs.log_text(tracking_of(settings, slot), found.version.training_run, html, name)
    return str(write_page(settings, name, html))


def _policy(settings: Settings, slot: str) -> tuple[str | None, NamedPolicy | None]:
    """The champion; the challenger where there is none yet."""
    for alias in ALIASES:
        found = aliased_policy(settings, slot, alias)
        if found is not None:
            return alias, found
    return None, None


def _counted(settings: Settings, lake: Lake, tasks: Tasks, slot: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What was shown on the latest days: sums by day, stream and arm, and by group and arm."""
    log = open_log(settings, lake, tasks, [slot])
    days = log.all_days[-DAYS:]
    done = tasks.run(
        buckets_of(log.files, days[0], days[-1]),
        CountShown(log.reader(slot)),
        weight=lambda bucket: bucket.size,
        named=lambda bucket: f"decisions of bucket {bucket.number}",
    )
    return _fetched(tasks, done, BY_DAY), _fetched(tasks, done, BY_GROUP)


def _fetched(tasks: Tasks, done: Done, kind: str) -> pl.DataFrame:
    parcels = done.of(kind)
    if parcels:
        return together(tasks.fetch(parcels), kind)
    types = {"day": pl.Date(), "rounds": pl.Int64(), "reward": pl.Float64(), "square": pl.Float64()}
    names = (*KEYS[kind], "rounds", "reward", "square")
    return pl.DataFrame(schema={name: types.get(name, pl.String()) for name in names})


def _measured(sums: pl.DataFrame) -> Measured | None:
    if not sums.height:
        return None
    try:
        return measured(sums)
    except DataError:  # a log without probabilities: the page says what was shown
        return None


def _evaluations(lake: Lake, slot: str) -> list[Mapping[str, Any]]:
    if not lake.exists(BANDIT_EVALUATIONS.name):
        return []
    rows = [row for row in lake.rows(BANDIT_EVALUATIONS.name).to_pylist() if row["slot"] == slot]

    def order(row: Mapping[str, Any]) -> tuple[date, str, str, str]:
        return row["last_day"], row["policy"], row["against"], row["estimator"]

    return sorted(rows, key=order)


def _seasons(settings: Settings, lake: Lake, slot: str) -> Sequence[Mapping[str, Any]]:
    from pozytywka_spark.bandits.season import season  # statsmodels, which takes a second to load

    try:
        return season(settings, lake, slot)
    except DataError:  # nothing is summed yet, or no arm has a genre
        return []
