"""Promote and stop: who may decide alone is changed by people, and proven before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.factory.again import ask_again
from pozytywka_spark.factory.inputs import data_end
from pozytywka_spark.factory.labelled import LOOKS
from pozytywka_spark.factory.labels import WATCH
from pozytywka_spark.factory.states import (
    DISCARDED,
    LAKE,
    LIVE,
    SHADOW,
    STOPPED,
    TABLE,
    Row,
    States,
    changed,
    read_states,
    write_states,
)
from pozytywka_spark.factory.table_watch import TableAsked, compared_with_table
from pozytywka_spark.factory.watch import Fresh, fresh, judged_fresh, withdrawn_for
from pozytywka_spark.lake.api import Lake


@dataclass(frozen=True)
class Change:
    """`row`: the side's state after it; `is_done`: whether it is what was asked for."""

    row: Mapping[str, Any]
    is_done: bool
    reason: str


def promote(settings: Settings, lake: Lake, group: str, side: str, at: datetime | None) -> Change:
    """Take a side live if fresh shadow cases prove it again; else it stays, and may be asked for any time.

    While it isn't proven, fresh cases of which the first verdict is against the side go back to people.
    Raises `UsageError`.
    """
    states = _of(read_states(lake), LAKE, group)
    row = _in_shadow(states.newest(group, side))
    if row["state"] == LIVE:
        return Change(row, True, "is live already")
    at = at or data_end(settings, lake)
    since = states.built_at(row["build_id"], group)
    found = fresh(settings, lake, row, since, at)
    if not found.proven:
        ask_again(lake, found.ask, at, row["build_id"], asked_for=WATCH)
    return _settled(lake, row, found, at)


def promote_of_table(
    settings: Settings, lake: Lake, group: str, side: str, at: datetime | None, asked: TableAsked
) -> Change:
    """The same of a table's build, by a table with verdicts of cases after those it was built of.

    A side that is live already is withdrawn if those of them speak against it that its audits have drawn.
    Raises `DataError`, `UsageError`.
    """
    states = _of(read_states(lake), TABLE, group)
    row = _in_shadow(states.newest(group, side))
    said = compared_with_table(settings, lake, states, row, at, asked)
    told, at = said.told, at or said.latest
    if row["state"] == SHADOW:
        found = judged_fresh(settings, told)
        change = _settled(lake, row, found, at)
        if change.is_done or said.has_looks or not found.wrong:
            return change
        hint = f"people err: add what two others say of the {found.wrong} as {' and '.join(LOOKS)}"
        return replace(change, reason=f"{change.reason}; {hint}")
    if told is None or told.withdrawn is None:
        return Change(row, True, "is live already")
    audited, wrong, _ = told.withdrawn
    stopped = changed(row, STOPPED, withdrawn_for(audited, wrong), at)
    write_states(lake, [stopped])
    return Change(stopped, False, str(stopped["reason"]))


def stop(
    settings: Settings, lake: Lake, group: str, side: str, at: datetime | None, source: str = LAKE
) -> Change:
    """Stop a side at once, of whatever build of this source. Raises `UsageError` for an unknown group."""
    states = _of(read_states(lake), source, group)
    newest = states.newest(group, side)
    if at is None:  # the lake's data say nothing of when a table's side is stopped
        at = newest["effective_at"] if source == TABLE else data_end(settings, lake)
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


def _of(states: States, source: str, group: str) -> States:
    """Those of one source. Raises `UsageError` for a group that only the other one has."""
    mine = states.of(source)
    if any(row["group"] == group for row in mine.rows) or group not in {row["group"] for row in states.rows}:
        return mine
    if source == TABLE:
        raise UsageError(
            f"--group {group} was built of the lake's cases, of no table: leave out --from, --source"
        )
    raise UsageError(
        f"--group {group} was built of a table, whose cases the lake doesn't watch: promote --from FILE, a "
        "table with verdicts of later cases, or stop --source table"
    )


def _in_shadow(row: Row) -> Row:
    """A side that may be promoted, or was. Raises `UsageError`."""
    if row["state"] == DISCARDED:
        told = f"{row['side']} of group {row['group']} was discarded ({row['reason']})"
        raise UsageError(f"{told}: nothing to promote")
    if row["state"] == STOPPED:
        raise UsageError(
            f"{row['side']} of group {row['group']} was stopped ({row['reason']}): build it anew"
        )
    return row


def _settled(lake: Lake, row: Row, found: Fresh, at: datetime) -> Change:
    waiting = f", {found.waiting} more wait for a second look and count as wrong" if found.waiting else ""
    told = (
        f"{found.wrong} of {found.tested} fresh accounts wrong{waiting}, precision at least {found.low:.4f}"
    )
    if not found.proven:
        needed = f"{found.needed} without an error would prove it"
        return Change(row, False, f"stays in shadow: {told}; {needed}")
    live = changed(
        {
            **row,
            "tested": found.tested,
            "wrong": found.wrong + found.waiting,
            "precision_low": found.low,
        },
        LIVE,
        f"proven again: {told}",
        at,
    )
    write_states(lake, [live])
    return Change(live, True, str(live["reason"]))
