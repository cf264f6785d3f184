"""The catalogue as a table for the console, as Markdown and as HTML."""

from __future__ import annotations

from collections.abc import Sequence

from pozytywka_spark.features.declared.catalogue import CATALOGUE, CATALOGUE_VERSION
from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.reports.page import Page

INTRODUCTION = (
    "A row is a user's calendar month [start, end) in UTC, for users who had not bought premium before its "
    "end, the cut-off. Features use events before the cut-off only; those marked snapshot also use the "
    "catalogue as it was delivered, which may be younger than the month."
)


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


def as_markdown(digest: str, features: Sequence[Feature] = CATALOGUE) -> str:
    """The catalogue as a Markdown page."""
    rows = catalogue_rows(features)
    head = list(rows[0])
    lines = [
        "# Features",
        "",
        INTRODUCTION,
        "",
        f"Version {CATALOGUE_VERSION}, {len(rows)} features, hash `{digest}`.",
        "",
        f"| {' | '.join(head)} |",
        f"|{'|'.join(' --- ' for _ in head)}|",
        *(f"| {' | '.join(str(value).replace('|', '/') for value in row.values())} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def as_html(digest: str, features: Sequence[Feature] = CATALOGUE) -> str:
    """The catalogue as a self-contained HTML page."""
    page = Page(
        "Features", subtitle=f"version {CATALOGUE_VERSION}, {len(features)} features, hash {digest[:12]}"
    )
    page.section("What they are").text(INTRODUCTION)
    page.section("Catalogue").table(catalogue_rows(features))
    return page.render()
