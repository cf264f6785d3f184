"""One self-contained HTML page: sections of text, tables and figures; everything escaped, no network.

page = Page("Quality of the delivery", subtitle="50 users, 19,348 events")
section = page.section("Tracks", anchor="tracks")
section.text("21,608 tracks, 98 of them dated to the month only.")
section.table([{"check": "loudness above 0 dB", "severity": "warn", "count": 13}])
section.figure(fig, alt="Histogram of loudness in dB")
html = page.render()
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from pozytywka_spark.reports.charts import Chart, draw
from pozytywka_spark.reports.formatting import format_value, significant_4

if TYPE_CHECKING:
    from jinja2 import Environment
    from matplotlib.figure import Figure

SEVERITIES = ("ok", "info", "warn", "error")


Part = dict[str, object]  # one thing in a section: its kind, and what `templates/parts.html` reads of that


@dataclass
class Section:
    """A titled part of a page; what is added first stands first. Methods chain."""

    title: str
    anchor: str
    parts: list[Part] = field(default_factory=list, repr=False)

    def text(self, *paragraphs: str) -> Section:
        """Plain paragraphs."""
        for paragraph in paragraphs:
            self._add("text", text=paragraph)
        return self

    def bullets(self, items: Sequence[str]) -> Section:
        """A list of plain lines."""
        return self._add("bullets", entries=items) if items else self

    def links(self, links: Sequence[tuple[str, str, str]]) -> Section:
        """A list of pages beside this one: file's name, title, and what is said of it."""
        entries = [(quote(name), title, note) for name, title, note in links]
        return self._add("links", entries=entries) if entries else self

    def tiles(self, figures: Mapping[str, Any]) -> Section:
        """A few headline numbers, name to value."""
        return self._add("tiles", figures=figures)

    def table(
        self,
        rows: Sequence[Mapping[str, Any]],
        *,
        caption: str = "",
        severity_column: str = "severity",
        empty: str = "None.",
    ) -> Section:
        """Rows with the same keys; numbers stand right, `severity_column`, if there, as a coloured badge.

        Without rows the text `empty` stands in its place, if there is one.
        """
        if not rows:
            return self.text(empty) if empty else self
        self.parts.append(table_part(rows, caption=caption, severity_column=severity_column))
        return self

    def figure(
        self, figure: Figure, *, alt: str, caption: str = "", kind: Literal["svg", "png"] = "svg"
    ) -> Section:
        """A matplotlib figure, embedded. `alt` says what it shows; take `png` for many thousand points."""
        return self._add("picture", address=data_uri(figure, kind), alt=alt, caption=caption)

    def charts(
        self, charts: Sequence[Chart], *, alt: str, caption: str = "", columns: int = 1, height: int = 320
    ) -> Section:
        """Charts drawn as one picture, in rows of `columns`, each `height` pixels high."""
        return self.picture(draw(charts, columns=columns, height=height), alt=alt, caption=caption)

    def charts_beside(self, charts: Sequence[tuple[Chart, str, str]]) -> Section:
        """Small charts (chart, alt, caption) beside each other as far as the page is wide."""
        pictures = [
            _picture(draw([chart], width=480, height=220), alt, caption) for chart, alt, caption in charts
        ]
        return self._add("beside", pictures=pictures)

    def picture(self, svg: str, *, alt: str, caption: str = "") -> Section:
        """A picture that was drawn as SVG text."""
        self.parts.append(_picture(svg, alt, caption))
        return self

    def _add(self, kind: str, **content: object) -> Section:
        self.parts.append({"kind": kind, **content})
        return self


@dataclass
class Page:
    """A page: a title, sections in order, and their index once there are three."""

    title: str
    subtitle: str = ""
    _sections: list[Section] = field(default_factory=list, repr=False)

    def section(self, title: str, *, anchor: str = "") -> Section:
        """Add a section and return it, to be filled."""
        section = Section(title, anchor or re.sub(r"\W+", "-", title.lower()).strip("-"))
        self._sections.append(section)
        return section

    def render(self) -> str:
        """The HTML text; the same content gives the same bytes."""
        template = templates().get_template("page.html")
        return template.render(title=self.title, subtitle=self.subtitle, sections=self._sections) + "\n"


@cache
def templates() -> Environment:
    """The templates of pages and of what a notebook shows."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("pozytywka_spark.reports"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["value"] = lambda value: format_value(value, significant_4)
    environment.globals["severities"] = SEVERITIES
    return environment


def data_uri(figure: Figure, kind: Literal["svg", "png"] = "svg") -> str:
    """The figure as a `data:` address; without date and random ids, so that equal figures are equal bytes."""
    from matplotlib import rc_context  # takes a second to load, which a page of charts needn't spend

    target = io.BytesIO()
    with rc_context({"svg.hashsalt": "pozytywka", "svg.fonttype": "path"}):
        if kind == "svg":
            figure.savefig(target, format="svg", bbox_inches="tight", metadata={"Date": None})
        else:
            figure.savefig(target, format="png", bbox_inches="tight", dpi=130, metadata={"Software": None})
    return _uri(target.getvalue(), "svg+xml" if kind == "svg" else "png")


def table_part(
    rows: Sequence[Mapping[str, Any]], *, caption: str = "", severity_column: str = "severity"
) -> Part:
    """What `templates/parts.html` shows as a table; see `Section.table`."""
    columns = list(rows[0])
    numeric = {name for name in columns if all(_is_number(row.get(name)) for row in rows)}
    return {
        "kind": "table",
        "rows": rows,
        "columns": columns,
        "numeric": numeric,
        "caption": caption,
        "severity_column": severity_column,
    }


def _picture(svg: str, alt: str, caption: str) -> Part:
    return {"kind": "picture", "address": _uri(svg.encode(), "svg+xml"), "alt": alt, "caption": caption}


def _uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))
