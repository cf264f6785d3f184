"""What a stage returns as a notebook shows it: a title, tables, lines, a link to the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from pozytywka_spark.reports.formatting import format_value, significant_4

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
    shown = "".join(_table(caption, rows) for caption, rows in (tables or {}).items() if rows)
    words = "".join(f"<p>{escape(line)}</p>" for line in lines if line)
    return f"<div><h4>{escape(title)}</h4>{words}{shown}{_link(page)}</div>"


def _table(caption: str, rows: Sequence[Mapping[str, Any]]) -> str:
    head = "".join(f"<th>{escape(str(name))}</th>" for name in rows[0])
    body = "".join(
        "<tr>"
        + "".join(f"<td>{escape(format_value(value, significant_4))}</td>" for value in row.values())
        + "</tr>"
        for row in rows[:_MOST]
    )
    more = f"<p>and {len(rows) - _MOST:,} more rows</p>" if len(rows) > _MOST else ""
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _link(page: str | None) -> str:
    if not page:
        return ""
    address = f"file://{page}" if page.startswith("/") else page
    return f'<p>page: <a href="{escape(address)}" target="_blank">{escape(page)}</a></p>'
