"""Report: the factory's page, from its tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.factory.labels import AUDIT
from pozytywka_spark.factory.page import render
from pozytywka_spark.factory.proof.audits import evidence
from pozytywka_spark.factory.states import LIVE, SHADOW, read_states
from pozytywka_spark.factory.watch import compared
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.months import as_micros
from pozytywka_spark.reports.files import page_path, write_page

PAGE = "factory.html"
CURVES = "factory-curves.json"
Curves = Mapping[str, Mapping[str, Sequence[Sequence[float]]]]


def save_curves(settings: Settings, curves: Curves) -> None:
    """What a build measured, beside the page; groups of other builds keep theirs."""
    write_page(settings, CURVES, json.dumps({**_curves(settings), **curves}, sort_keys=True))


def report(settings: Settings, lake: Lake, at: datetime | None = None) -> str:
    """Write the page; its path. Read only: no table changes."""
    states = read_states(lake)
    latest: dict[tuple[str, str], dict[str, Any]] = {}
    for row in sorted(states.rows, key=lambda row: row["effective_at"]):
        latest[row["group"], row["side"]] = dict(row)
    sides = [latest[key] for key in sorted(latest)]
    until = at or max((row["effective_at"] for row in sides), default=None)
    watched = _watched(settings, lake, sides, at) if until else []
    return str(
        write_page(settings, PAGE, render(sides, _curves(settings), watched, settings.factory.precision))
    )


def _watched(
    settings: Settings, lake: Lake, sides: Sequence[Mapping[str, Any]], at: datetime | None
) -> list[dict[str, Any]]:
    states, end = read_states(lake), as_micros(at) if at else 2**62
    asked = []
    for row in sides:
        if row["threshold"] is not None:
            since = as_micros(states.built_at(row["build_id"], row["group"]))
            asked.append((row["build_id"], row["group"], row["side"], since))
    rows = []
    with lake.tasks() as tasks:
        for what, modes in (("shadow", (SHADOW,)), ("audit", (AUDIT,)), ("live", (LIVE,))):
            items = [(build, group, side, modes, since, end) for build, group, side, since in asked]
            told = compared(
                lake,
                tasks,
                items,
                at or datetime.max.replace(year=9000, tzinfo=sides[0]["effective_at"].tzinfo),
            )
            for (_, group, side), each in sorted(told.items()):
                if wrong := each.wrong:
                    likelier = float(evidence(wrong, 1 - settings.factory.precision)[-1])
                    rows.append(
                        {
                            "what": what,
                            "group": group,
                            "side": side,
                            "accounts": len(wrong),
                            "wrong": sum(wrong),
                            "precision": 1 - sum(wrong) / len(wrong),
                            "evidence against": likelier,
                        }
                    )
    return rows


def _curves(settings: Settings) -> dict[str, Any]:
    path = page_path(settings, CURVES)
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
