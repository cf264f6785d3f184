"""Which side of which build decides, when: read from the append-only `factory_models`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from pozytywka_spark.errors import UsageError
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.schemas import FACTORY_BOOSTERS, FACTORY_MODELS

SHADOW, LIVE, STOPPED, DISCARDED = "shadow", "live", "stopped", "discarded"
LAKE, TABLE = "lake", "table"  # whose cases a build is of: nothing of the one touches the other's sides
Row = Mapping[str, Any]


@dataclass(frozen=True)
class States:
    """Rows of `factory_models`; what they say of a group holds among the builds of one source alone."""

    rows: Sequence[Row]

    def of(self, source: str) -> States:
        """Those of the builds of the lake's cases, or of tables."""
        return States([row for row in self.rows if row["source"] == source])

    def at(self, moment: datetime) -> list[Row]:
        """What held then: of each build, group and side the latest row, where it is shadow or live.

        A group's newest build watches or decides; an earlier one goes on while it is live, until another
        goes live in its place: it doesn't come back when that is stopped.
        """
        latest: dict[tuple[str, str, str], Row] = {}
        begun: dict[str, tuple[datetime, str]] = {}
        promoted: dict[tuple[str, str], str] = {}
        for row in self._ordered(moment):
            key = (row["build_id"], row["group"], row["side"])
            if key not in latest:
                begun[row["group"]] = max(
                    begun.get(row["group"], (row["effective_at"], "")), (row["effective_at"], row["build_id"])
                )
            latest[key] = row
            if row["state"] == LIVE:
                promoted[row["group"], row["side"]] = row["build_id"]
        live = [
            row
            for row in latest.values()
            if row["state"] == LIVE and promoted[row["group"], row["side"]] == row["build_id"]
        ]
        newest = {group: build for group, (_, build) in begun.items()}
        watching = [
            row
            for row in latest.values()
            if row["state"] == SHADOW and row["build_id"] == newest[row["group"]]
        ]
        return [*live, *watching]

    def of_groups(self) -> dict[str, States]:
        """Each group's own rows."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row["group"], []).append(row)
        return {group: States(rows) for group, rows in found.items()}

    def history(self, build_id: str, side: str) -> list[tuple[datetime, str]]:
        """Of one group's states: since when a side of a build is what; empty where it is out of force."""
        found: list[tuple[datetime, str]] = []
        for moment in sorted({row["effective_at"] for row in self.rows}):
            in_force = [
                row["state"] for row in self.at(moment) if row["build_id"] == build_id and row["side"] == side
            ]
            state = str(in_force[0]) if in_force else ""
            if not found or found[-1][1] != state:
                found.append((moment, state))
        return found

    def live_spans(self) -> list[tuple[str, datetime, datetime | None]]:
        """Of each group from when to when (None: to this day) some side of it was live."""
        found: list[tuple[str, datetime, datetime | None]] = []
        for group, states in sorted(self.of_groups().items()):
            began: datetime | None = None
            for moment in sorted({row["effective_at"] for row in states.rows}):
                is_live = any(row["state"] == LIVE for row in states.at(moment))
                if is_live and began is None:
                    began = moment
                if began is not None and not is_live:
                    found.append((group, began, moment))
                    began = None
            if began is not None:
                found.append((group, began, None))
        return found

    def built_at(self, build_id: str, group: str) -> datetime:
        """Since when a build's group watches."""
        first: datetime = min(
            r["effective_at"] for r in self.rows if r["build_id"] == build_id and r["group"] == group
        )
        return first

    def newest(self, group: str, side: str) -> Row:
        """The state of a group's newest build. Raises `UsageError` for an unknown group."""
        mine = [row for row in self._ordered(None) if row["group"] == group and row["side"] == side]
        if not mine:
            groups = sorted({row["group"] for row in self.rows})
            raise UsageError(
                f"--group {group}: no build has such a group; there are {', '.join(groups) or 'none'}: "
                "run factory build"
            )
        first = {row["build_id"]: row["effective_at"] for row in reversed(mine)}
        build = max(first, key=lambda one: (first[one], one))
        return [row for row in mine if row["build_id"] == build][-1]

    def _ordered(self, moment: datetime | None) -> list[Row]:
        held = [row for row in self.rows if moment is None or row["effective_at"] <= moment]
        return sorted(held, key=lambda row: row["effective_at"])


def read_states(lake: Lake) -> States:
    """All that was ever decided of models; few rows."""
    if not lake.exists(FACTORY_MODELS.name):
        return States([])
    rows = lake.rows(FACTORY_MODELS.name).to_pylist()
    without = {row["build_id"] for row in rows if row.get("source") is None}
    of_tables = _built_of_tables(lake) & without if without else set()
    return States(
        [
            {**row, "source": row.get("source") or (TABLE if row["build_id"] in of_tables else LAKE)}
            for row in rows
        ]
    )


def _built_of_tables(lake: Lake) -> set[str]:
    """Builds of tables that kept a side: before `source` was written down only their inputs told."""
    if not lake.exists(FACTORY_BOOSTERS.name):
        return set()
    boosters = lake.rows(FACTORY_BOOSTERS.name, ["build_id", "inputs"]).to_pylist()
    return {each["build_id"] for each in boosters if isinstance(json.loads(each["inputs"])["inputs"], str)}


def write_states(lake: Lake, rows: Sequence[Row]) -> None:
    """Append rows, once each."""
    table = pa.Table.from_pylist(
        [{name: row.get(name) for name in FACTORY_MODELS.columns} for row in rows],
        schema=arrow_schema(FACTORY_MODELS.schema),
    )
    lake.upsert(table, FACTORY_MODELS)


def changed(row: Row, state: str, reason: str, effective_at: datetime) -> dict[str, Any]:
    """The row of a side whose state changes; always after the row that it follows."""
    least = row["effective_at"] + timedelta(microseconds=1)
    return {**row, "state": state, "reason": reason, "effective_at": max(effective_at, least)}
