"""Report: the factory's page, from its tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.factory.labels import AUDIT
from pozytywka_spark.factory.page import render
from pozytywka_spark.factory.people import noise_of_people
from pozytywka_spark.factory.states import LAKE, LIVE, SHADOW, TABLE, States, read_states
from pozytywka_spark.factory.watch import Watched, compared
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.months import as_micros, as_moment
from pozytywka_spark.reports.files import page_path, write_page

PAGE = "factory.html"
CURVES = "factory-curves.json"
_NEVER = as_micros(datetime(9000, 1, 1, tzinfo=UTC))  # after all that the lake can hold
Curves = Mapping[str, Mapping[str, Sequence[Sequence[float]]]]


def save_curves(settings: Settings, curves: Curves) -> None:
    """What a build measured, beside the page; groups of other builds keep theirs."""
    write_page(settings, CURVES, json.dumps({**_curves(settings), **curves}, sort_keys=True))


def report(settings: Settings, lake: Lake, at: datetime | None = None) -> str:
    """Write the page; its path. Read only: no table changes."""
    states = read_states(lake)
    latest: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in sorted(states.rows, key=lambda row: row["effective_at"]):
        latest[row["source"], row["group"], row["side"]] = dict(row)
    sides = [latest[key] for key in sorted(latest)]
    until = at or max((row["effective_at"] for row in sides), default=None)
    of_lake = [row for row in sides if row["source"] == LAKE]
    watched = _watched(settings, lake, states.of(LAKE), of_lake, at) if until else []
    return str(
        write_page(settings, PAGE, render(sides, _curves(settings), watched, settings.factory.precision))
    )


def _watched(
    settings: Settings,
    lake: Lake,
    states: States,
    sides: Sequence[Mapping[str, Any]],
    at: datetime | None,
) -> list[dict[str, Any]]:
    end = as_micros(at) if at else _NEVER
    asked = [
        Watched(
            row["build_id"],
            row["group"],
            row["side"],
            (mode,),
            as_micros(states.built_at(row["build_id"], row["group"])),
            end,
        )
        for mode in (SHADOW, AUDIT, LIVE)
        for row in sorted(sides, key=lambda row: (row["build_id"], row["group"], row["side"]))
        if row["threshold"] is not None
    ]
    with lake.tasks() as tasks:
        moment = at or as_moment(_NEVER)
        told = compared(settings, lake, tasks, asked, moment, noise_of_people(lake, tasks, moment))
    return [
        {
            "what": one.modes[0],
            "group": one.group,
            "side": one.side,
            "accounts": side.tested,
            "wrong": side.wrong,
            "wait for a second look": side.waiting,
            "precision": 1 - side.wrong / side.tested,
            "evidence against": side.against,
        }
        for one, side in told.items()
        if side.tested
    ]


def curves_named(curves: Curves, source: str) -> Curves:
    """Curves by what the page calls a group; one of a table isn't the lake's of the same name."""
    return {f"{group} (table)" if source == TABLE else group: each for group, each in curves.items()}


def _curves(settings: Settings) -> dict[str, Any]:
    path = page_path(settings, CURVES)
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
