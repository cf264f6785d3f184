"""Show what a stage returned in a notebook: a title, tables, lines, a link to the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pozytywka_spark.reports.page import table_part, templates

_MOST = 200  # rows of a table: the page has all of them


def card(
    title: str,
    tables: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    lines: Sequence[str] = (),
    page: str | None = None,
) -> str:
    """HTML for `_repr_html_`: everything is escaped. A table's rows all have the same keys.

    `page` is the path or the address of a page that a browser opens.
    """
    shown = [
        (table_part(rows[:_MOST], caption=caption), f"{len(rows) - _MOST:,}" if len(rows) > _MOST else "")
        for caption, rows in (tables or {}).items()
        if rows
    ]
    address = f"file://{page}" if page and page.startswith("/") else page
    lines = [line for line in lines if line]
    template = templates().get_template("card.html")
    return template.render(title=title, lines=lines, tables=shown, page=page, address=address)
