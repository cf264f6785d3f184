"""Which side of which build decides, when: read from the append-only `factory_models`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from pozytywka_spark.errors import UsageError
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.schemas import FACTORY_MODELS

SHADOW, LIVE, STOPPED, DISCARDED = "shadow", "live", "stopped", "discarded"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class States:
    """All rows of `factory_models`."""

    rows: Sequence[Row]

    def at(self, moment: datetime) -> list[Row]:
        """What held then: of each build, group and side the latest row, where it is shadow or live.

        A group's newest build watches or decides; an earlier one goes on as long as it is live.
        """
        latest: dict[tuple[str, str, str], Row] = {}
        begun: dict[str, tuple[datetime, str]] = {}
        for row in self._ordered(moment):
            key = (row["build_id"], row["group"], row["side"])
            if key not in latest:
                begun[row["group"]] = max(
                    begun.get(row["group"], (row["effective_at"], "")), (row["effective_at"], row["build_id"])
                )
            latest[key] = row
        live: dict[tuple[str, str], Row] = {}
        for row in latest.values():
            side = (row["group"], row["side"])
            if row["state"] == LIVE and (
                side not in live or row["effective_at"] >= live[side]["effective_at"]
            ):
                live[side] = row
        newest = {group: build for group, (_, build) in begun.items()}
        watching = [
            row
            for row in latest.values()
            if row["state"] == SHADOW and row["build_id"] == newest[row["group"]]
        ]
        return [*live.values(), *watching]

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
    return States(lake.rows(FACTORY_MODELS.name).to_pylist())


def write_states(lake: Lake, rows: Sequence[Row]) -> None:
    """Append rows, once each."""
    table = pa.Table.from_pylist(
        [{name: row.get(name) for name in FACTORY_MODELS.columns} for row in rows],
        schema=arrow_schema(FACTORY_MODELS.schema),
    )
    lake.upsert(table, FACTORY_MODELS)


def changed(row: Row, state: str, reason: str, effective_at: datetime) -> dict[str, Any]:
    """The row of a side whose state changes; never before the row that it follows."""
    return {**row, "state": state, "reason": reason, "effective_at": max(effective_at, row["effective_at"])}
