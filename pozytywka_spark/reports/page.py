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
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from pozytywka_spark.reports.charts import Chart, draw
from pozytywka_spark.reports.formatting import four_digits, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEVERITIES = ("ok", "info", "warn", "error")

# An image may only come from the page itself, and nothing may run or be fetched.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

_CSS = """
:root{--ink:#1d2433;--soft:#5b6577;--line:#e1e5ec;--paper:#fff;--wash:#f6f7f9;
--ok:#1b7f4b;--info:#2563a8;--warn:#a15c00;--error:#b42318}
*{box-sizing:border-box}body{margin:0;background:var(--wash);color:var(--ink);
font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1080px;margin:0 auto;padding:32px 24px 64px}h1{font-size:28px;line-height:1.2;margin:0}
h2{font-size:20px;margin:0 0 12px}.sub{color:var(--soft);margin:6px 0 0}
nav{margin:18px 0 0;font-size:14px}nav a{margin-right:16px;color:var(--info)}
section{background:var(--paper);border:1px solid var(--line);border-radius:10px;
padding:20px 24px;margin-top:20px}
p{margin:0 0 12px;max-width:75ch}.scroll{overflow-x:auto;margin:0 0 16px}
table{border-collapse:collapse;font-size:14px;min-width:50%}
caption{text-align:left;font-weight:600;padding:0 0 6px}
th,td{padding:6px 14px 6px 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:600;white-space:nowrap}.num{text-align:right;font-variant-numeric:tabular-nums}
ul{margin:0 0 12px;padding-left:22px;max-width:75ch}
figure{margin:0 0 16px}figure img{max-width:100%;height:auto}figcaption{color:var(--soft);font-size:13px}
.badge{display:inline-block;border-radius:999px;padding:0 9px;font-size:12px;font-weight:600;color:#fff}
.badge.ok{background:var(--ok)}.badge.info{background:var(--info)}.badge.warn{background:var(--warn)}
.badge.error{background:var(--error)}.tiles{display:flex;flex-wrap:wrap;gap:12px;margin:0 0 16px}
.tile{border:1px solid var(--line);border-radius:8px;padding:10px 16px;min-width:130px}
.tile b{display:block;font-size:22px;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:13px}
.beside{display:flex;flex-wrap:wrap;gap:8px 24px}.beside figure{flex:1 1 420px;max-width:500px}
@media print{body{background:#fff}section{break-inside:avoid}}
"""


@dataclass
class Section:
    """A titled part of a page; what is added first stands first. Methods chain."""

    title: str
    anchor: str
    _parts: list[str] = field(default_factory=list, repr=False)

    def text(self, *paragraphs: str) -> Section:
        """Plain paragraphs."""
        self._parts += [f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs]
        return self

    def bullets(self, items: Sequence[str]) -> Section:
        """A list of plain lines."""
        lines = "".join(f"<li>{escape(item)}</li>" for item in items)
        self._parts.append(f"<ul>{lines}</ul>" if items else "")
        return self

    def tiles(self, figures: Mapping[str, Any]) -> Section:
        """A few headline numbers, name to value."""
        cells = (
            f'<div class="tile"><b>{_plain(value)}</b><span>{escape(name)}</span></div>'
            for name, value in figures.items()
        )
        self._parts.append(f'<div class="tiles">{"".join(cells)}</div>')
        return self

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
        nothing = f"<p>{escape(empty)}</p>" if empty else ""
        self._parts.append(_table(rows, caption, severity_column) if rows else nothing)
        return self

    def figure(
        self, figure: Figure, *, alt: str, caption: str = "", kind: Literal["svg", "png"] = "svg"
    ) -> Section:
        """A matplotlib figure, embedded. `alt` says what it shows; take `png` for many thousand points."""
        self._parts.append(_figure(figure, alt, caption, kind))
        return self

    def charts(
        self, charts: Sequence[Chart], *, alt: str, caption: str = "", columns: int = 1, height: int = 320
    ) -> Section:
        """Charts drawn as one picture, in rows of `columns`, each `height` pixels high."""
        drawn = draw(charts, columns=columns, height=height)
        self._parts.append(_picture(_uri(drawn.encode(), "svg+xml"), alt, caption))
        return self

    def charts_beside(self, charts: Sequence[tuple[Chart, str, str]]) -> Section:
        """Small charts (chart, alt, caption) beside each other as far as the page is wide."""
        parts = "".join(
            _picture(_uri(draw([chart], width=480, height=220).encode(), "svg+xml"), alt, caption)
            for chart, alt, caption in charts
        )
        self._parts.append(f'<div class="beside">{parts}</div>')
        return self

    def picture(self, svg: str, *, alt: str, caption: str = "") -> Section:
        """A picture that was drawn as SVG text."""
        self._parts.append(_picture(_uri(svg.encode(), "svg+xml"), alt, caption))
        return self

    def _render(self) -> str:
        heading = f"<h2>{escape(self.title)}</h2>"
        return f'<section id="{escape(self.anchor)}">{heading}{"".join(self._parts)}</section>'


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
        subtitle = f'<p class="sub">{escape(self.subtitle)}</p>' if self.subtitle else ""
        links = "".join(f'<a href="#{escape(s.anchor)}">{escape(s.title)}</a>' for s in self._sections)
        nav = f"<nav>{links}</nav>" if len(self._sections) > 2 else ""
        body = "".join(section._render() for section in self._sections)
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<title>{escape(self.title)}</title><style>{_CSS}</style></head>"
            f"<body><main><header><h1>{escape(self.title)}</h1>{subtitle}{nav}</header>{body}</main></body></html>\n"
        )


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


def _figure(figure: Figure, alt: str, caption: str, kind: Literal["svg", "png"]) -> str:
    return _picture(data_uri(figure, kind), alt, caption)


def _picture(address: str, alt: str, caption: str) -> str:
    note = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure><img alt="{escape(alt)}" src="{address}">{note}</figure>'


def _uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _table(rows: Sequence[Mapping[str, Any]], caption: str, severity_column: str) -> str:
    columns = list(rows[0])
    numeric = {name for name in columns if all(_is_number(row.get(name)) for row in rows)}
    head = "".join(f"<th{_align(name in numeric)}>{escape(name)}</th>" for name in columns)
    cells = (
        "".join(_cell(row.get(name), name in numeric, name == severity_column) for name in columns)
        for row in rows
    )
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll"><table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _cell(value: Any, numeric: bool, severity: bool) -> str:
    if severity and value in SEVERITIES:
        return f'<td><span class="badge {value}">{value}</span></td>'
    return f"<td{_align(numeric)}>{_plain(value)}</td>"


def _align(numeric: bool) -> str:
    return ' class="num"' if numeric else ""


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _plain(value: Any) -> str:
    """A value as a person writes it, escaped."""
    return escape(plain(value, four_digits))
