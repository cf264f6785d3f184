"""The catalogue as a table for the console, as Markdown and as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pozytywka_spark.features.declared.catalogue import CATALOGUE, CATALOGUE_VERSION, OPTIONAL
from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.reports.page import Page

INTRODUCTION = (
    "A row is a user's calendar month [start, end) in UTC, for users who had not bought premium before its "
    "end, the cut-off. Features use events before the cut-off only; those marked snapshot also use the "
    "catalogue as it was delivered, which may be younger than the month."
)


OPTIONAL_INTRODUCTION = (
    "These are there only in lakes that have the tables they need: they come with them, after the others, "
    "and the hash is another then. Models are given those that helped where they were tried; those marked no "
    "brought nothing there (top_group is a code, for words): features.take gives models these too."
)
OPTIONAL_TITLE = "Where the lake has their tables"


def optional_rows(features: Sequence[Feature] = OPTIONAL) -> list[dict[str, object]]:
    """As `catalogue_rows`, with the tables that each needs and whether models are given it by default."""
    given = {True: "yes", False: "no"}
    return [
        row | {"needs": ", ".join(feature.needs), "models": given[feature.by_default]}
        for row, feature in zip(catalogue_rows(features), features, strict=True)
    ]


def catalogue_rows(features: Sequence[Feature] = CATALOGUE) -> list[dict[str, object]]:
    """A line per feature, in the order in which models see them."""
    return [
        {
            "feature": feature.name,
            "meaning": feature.meaning,
            "unit": feature.unit,
            "type": feature.kind,
            "null": feature.null,
            "window": feature.window,
            "source": feature.source,
            "origin": feature.origin,
            "actionable": "yes" if feature.actionable else "no",
        }
        for feature in features
    ]


def as_markdown(
    digest: str, features: Sequence[Feature] = CATALOGUE, optional: Sequence[Feature] = OPTIONAL
) -> str:
    """The catalogue as a Markdown page."""
    rows = catalogue_rows(features)
    lines = [
        "# Features",
        "",
        INTRODUCTION,
        "",
        f"Version {CATALOGUE_VERSION}, {len(rows)} features, hash `{digest}`.",
        "",
        *_markdown_table(rows),
        "",
        f"## {OPTIONAL_TITLE}",
        "",
        OPTIONAL_INTRODUCTION,
        "",
        *_markdown_table(optional_rows(optional)),
    ]
    return "\n".join(lines) + "\n"


def _markdown_table(rows: Sequence[Mapping[str, object]]) -> list[str]:
    head = list(rows[0])
    return [
        f"| {' | '.join(head)} |",
        f"|{'|'.join(' --- ' for _ in head)}|",
        *(f"| {' | '.join(str(value).replace('|', '/') for value in row.values())} |" for row in rows),
    ]


def as_html(
    digest: str, features: Sequence[Feature] = CATALOGUE, optional: Sequence[Feature] = OPTIONAL
) -> str:
    """The catalogue as a self-contained HTML page."""
    page = Page(
        "Features", subtitle=f"version {CATALOGUE_VERSION}, {len(features)} features, hash {digest[:12]}"
    )
    page.section("What they are").text(INTRODUCTION)
    page.section("Catalogue").table(catalogue_rows(features))
    page.section(OPTIONAL_TITLE).text(OPTIONAL_INTRODUCTION).table(optional_rows(optional))
    return page.render()
