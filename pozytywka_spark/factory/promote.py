"""Promote and stop: who may decide alone is changed by people, and proven before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.factory.inputs import data_end
from pozytywka_spark.factory.proof.binomial import fewest
from pozytywka_spark.factory.states import (
    DISCARDED,
    LIVE,
    SHADOW,
    STOPPED,
    changed,
    is_of_table,
    read_states,
    write_states,
)
from pozytywka_spark.factory.watch import fresh
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import FACTORY_BOOSTERS


@dataclass(frozen=True)
class Change:
    """`row`: the side's state after it; `is_done`: whether it is what was asked for."""

    row: Mapping[str, Any]
    is_done: bool
    reason: str


def promote(settings: Settings, lake: Lake, group: str, side: str, at: datetime | None) -> Change:
    """Take a side live if fresh shadow cases prove it again; else it stays. Raises `UsageError`."""
    states = read_states(lake)
    row = states.newest(group, side)
    if row["state"] == LIVE:
        return Change(row, True, "is live already")
    if row["state"] == DISCARDED:
        raise UsageError(f"{side} of group {group} was discarded ({row['reason']}): nothing to promote")
    if row["state"] == STOPPED:
        raise UsageError(f"{side} of group {group} was stopped ({row['reason']}): build it anew")
    if _is_of_table(lake, row):
        stays = (
            "stays in shadow: it was built from a table, and of tables the lake watches no fresh cases; "
            "build it again from a table with later ones, or from the lake"
        )
        return Change(row, False, stays)
    at = at or data_end(settings, lake)
    found = fresh(settings, lake, row, states.built_at(row["build_id"], group), at)
    told = f"{found.wrong} of {found.tested} fresh accounts wrong, precision at least {found.low:.4f}"
    if not found.proven:
        needed = fewest(settings.factory.precision, settings.factory.confidence)
        return Change(row, False, f"stays in shadow: {told}; {needed} without an error would prove it")
    live = changed(
        {**row, "tested": found.tested, "wrong": found.wrong, "precision_low": found.low},
        LIVE,
        f"proven again: {told}",
        at,
    )
    write_states(lake, [live])
    return Change(live, True, str(live["reason"]))


def _is_of_table(lake: Lake, row: Mapping[str, Any]) -> bool:
    if not lake.exists(FACTORY_BOOSTERS.name):
        return False
    boosters = lake.rows(FACTORY_BOOSTERS.name, partitions=[{"build_id": row["build_id"]}]).to_pylist()
    return any(each["group"] == row["group"] and is_of_table(each) for each in boosters)


def stop(settings: Settings, lake: Lake, group: str, side: str, at: datetime | None) -> Change:
    """Stop a side at once, of whatever build. Raises `UsageError` for an unknown group."""
    states = read_states(lake)
    newest = states.newest(group, side)
    if at is None:  # the lake's data say nothing of when a table's side is stopped
        at = newest["effective_at"] if _is_of_table(lake, newest) else data_end(settings, lake)
    active = [
        row
        for row in states.at(max(at, newest["effective_at"]))
        if (row["group"], row["side"]) == (group, side)
    ]
    if not active:
        return Change(newest, True, f"is {newest['state']} already")
    rows = [changed(row, STOPPED, "stopped by hand", at) for row in active if row["state"] in (LIVE, SHADOW)]
    write_states(lake, rows)
    return Change(rows[-1], True, "stopped")
