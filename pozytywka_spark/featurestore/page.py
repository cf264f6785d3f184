"""The feature store as one page: views, services, the models that read them, lineage, freshness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pozytywka_spark.featurestore.picture import Box, draw_columns
from pozytywka_spark.reports.charts import Bar, Chart, Dot
from pozytywka_spark.reports.page import Page, Section

_GOOD, _LATE, _PLAIN, _NONE = "#2e7d4f", "#b3261e", "#2563a8", "#9aa5b8"
_SEVERITY = {"fresh": "ok", "behind": "warn", "stale": "error", "not stored": "warn", "no table": "info"}
Row = Mapping[str, Any]


@dataclass(frozen=True)
class ModelShown:
    """A registered model: by which alias it is called, and the service it reads; `reason` why none."""

    name: str
    version: int
    alias: str
    kind: str
    features: int
    service: str
    reason: str = ""


@dataclass(frozen=True)
class Facts:
    """What stands on the page.

    `listed`: of `list_views`; `fresh`: a row a view as `status` has it, none without a store; `made_from`:
    each table's sources; `versions`: of the tables that are there; `ingests`: how many there were.
    """

    listed: Mapping[str, Any]
    fresh: Sequence[Row]
    models: Sequence[ModelShown]
    made_from: Mapping[str, Sequence[str]]
    versions: Mapping[str, int]
    ingests: int


def render(facts: Facts) -> str:
    """The HTML text; the same facts give the same bytes."""
    views, services = facts.listed["views"], facts.listed["services"]
    subtitle = f"{len(views)} views, {len(services)} services; online in {facts.listed['store']}"
    page = Page("Feature store", subtitle=subtitle)
    _lineage(page.section("Lineage", anchor="lineage"), facts)
    _freshness(page.section("Freshness and size", anchor="freshness"), facts)
    _views(page.section("Views", anchor="views"), views)
    _services(page.section("Services", anchor="services"), services)
    _models(page.section("Models that read them", anchor="models"), facts.models)
    for view in views:
        _columns(page.section(f"Columns of {view['view']}", anchor=f"columns-{view['view']}"), view)
    return page.render()


def _lineage(section: Section, facts: Facts) -> None:
    section.text(
        "What is made from what, from the left to the right: tables at their versions, views of their rows, "
        "services that read them, models that read those. The command lineage traces one value."
    )
    columns, lines = lineage_of(facts)
    names = ", ".join(box.title for boxes in columns.values() for box in boxes)
    section.picture(draw_columns(columns, lines), alt=f"Lineage of {names}")


def lineage_of(facts: Facts) -> tuple[dict[str, list[Box]], list[tuple[str, str]]]:
    """Boxes by column, and the lines between them."""
    states = {row["view"]: row["state"] for row in facts.fresh}
    views, services = facts.listed["views"], facts.listed["services"]
    tables = _with_sources([view["table"] for view in views], facts.made_from)
    lines = [(f"table {of}", f"table {name}") for name in tables for of in facts.made_from.get(name, ())]
    columns: dict[str, list[Box]] = {
        "ingest": [Box("ingest", "ingest", f"{facts.ingests:,} {'run' if facts.ingests == 1 else 'runs'}")]
    }
    lines += [("ingest", f"table {name}") for name in tables if not facts.made_from.get(name)]
    depths = {name: _depth(name, facts.made_from) for name in tables}
    for depth in sorted(set(depths.values())):
        heading = "tables of ingest" if depth == 0 else f"made of them, step {depth}"
        columns[heading] = [
            Box(f"table {name}", name, _version(facts, name)) for name in tables if depths[name] == depth
        ]
    columns["views"] = [
        Box(
            f"view {view['view']}",
            view["view"],
            states.get(view["view"], "not stored"),
            _edge(states.get(view["view"])),
        )
        for view in views
    ]
    lines += [(f"table {view['table']}", f"view {view['view']}") for view in views]
    columns["services"] = [
        Box(f"service {each['service']}", each["service"], f"{len(each['columns'])} columns")
        for each in services
    ]
    lines += [
        (f"view {view['view']}", f"service {service}") for view in views for service in view["consumers"]
    ]
    columns["models"] = [
        Box(f"model {each.version}", f"{each.name} {each.version}", each.alias or each.kind)
        for each in facts.models
    ]
    lines += [(f"service {each.service}", f"model {each.version}") for each in facts.models if each.service]
    return {heading: boxes for heading, boxes in columns.items() if boxes}, lines


def _freshness(section: Section, facts: Facts) -> None:
    if facts.listed["reason"]:
        section.text(f"Nothing is stored: {facts.listed['reason']}")
    section.text(
        "The age is that of the newest stored row, by the clock of featurestore.clock; a view is stale once "
        "that is more than promised, and behind while its table has a newer version than the one stored."
    )
    section.table(
        [
            {
                "view": row["view"],
                "state": row["state"],
                "severity": _SEVERITY.get(row["state"], "info"),
                "keys": row["keys"],
                "stored version": row["version"],
                "table's version": row["table_version"],
                "versions behind": row["lag"],
                "newest row": row["newest"] or None,
                "age in days": row["age_days"],
                "promised": row["fresh_days"],
                "bytes a key": row["bytes_a_key"],
                "GB of 50 million keys": row["many_gb"],
            }
            for row in facts.fresh
        ],
        empty="",
    )
    aged = [row for row in facts.fresh if row["age_days"] is not None]
    if aged:
        names = ", ".join(str(row["view"]) for row in aged)
        section.charts([_ages(aged)], alt=f"Age and promised age in days of {names}", height=220)


def _ages(rows: Sequence[Row]) -> Chart:
    """A bar a view, its age; a ring where it was promised to end."""
    return Chart(
        "",
        "days",
        bars=tuple(
            Bar(place - 0.3, place + 0.3, 0, row["age_days"], _edge(row["state"]))
            for place, row in enumerate(rows)
        ),
        dots=tuple(
            Dot(place, row["fresh_days"], _PLAIN, size=5, hollow=True)
            for place, row in enumerate(rows)
            if row["fresh_days"] is not None
        ),
        x_ticks=tuple((place, str(row["view"])) for place, row in enumerate(rows)),
        legend=(("age", _GOOD), ("stale", _LATE), ("promised", _PLAIN)),
    )


def _views(section: Section, views: Sequence[Row]) -> None:
    section.table(
        [
            {
                "view": view["view"],
                "entity": view["entity"],
                "of": view["table"],
                "columns": len(view["columns"]),
                "kind": view["kind"],
                "days to live": view["ttl_days"],
                "numbers": view["dtype"],
                "owner": view["owner"],
                "read by": ", ".join(view["consumers"]) or "nobody",
                "meaning": view["meaning"],
            }
            for view in views
        ]
    )


def _services(section: Section, services: Sequence[Row]) -> None:
    section.table(
        [
            {
                "service": each["service"],
                "entity": each["entity"],
                "columns": len(each["columns"]),
                "owner": each["owner"],
                "catalogue": each["catalogue_hash"][:12],
                "meaning": each["meaning"],
            }
            for each in services
        ]
    )
    for each in services:
        section.text(f"{each['service']}: {', '.join(each['columns'])}")


def _models(section: Section, models: Sequence[ModelShown]) -> None:
    section.table(
        [
            {
                "model": f"{each.name} version {each.version}",
                "alias": each.alias,
                "kind": each.kind,
                "features": each.features,
                "reads": each.service or "no service",
                "severity": "ok" if each.service else "error",
                "reason": each.reason,
            }
            for each in models
        ],
        empty="No model is champion or challenger.",
    )


def _columns(section: Section, view: Row) -> None:
    section.text(f"{view['meaning'][:1].upper()}{view['meaning'][1:]}.")
    section.table([dict(column) for column in view["columns"]])


def _with_sources(tables: Sequence[str], made_from: Mapping[str, Sequence[str]]) -> list[str]:
    """The tables and all that they are made from, each once, in a lasting order."""
    found: dict[str, None] = {}
    waiting = list(tables)
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            waiting += made_from.get(name, ())
    return sorted(found)


def _depth(table: str, made_from: Mapping[str, Sequence[str]]) -> int:
    """How many steps it is made in; 0 for what ingest writes."""
    return max((1 + _depth(name, made_from) for name in made_from.get(table, ())), default=0)


def _version(facts: Facts, table: str) -> str:
    return f"version {facts.versions[table]}" if table in facts.versions else "not there"


def _edge(state: str | None) -> str:
    """The colour of a view's box."""
    return _NONE if state in (None, "not stored", "no table") else _LATE if state == "stale" else _GOOD
