"""Groups and their subgroups as a tree: lines as thick as they have uses."""

from __future__ import annotations

from html import escape

import polars as pl

_WIDTH, _ROW, _TOP = 960, 15, 12
_ROOT, _GROUP, _SUBGROUP = 20, 120, 520
_LONGEST = 52  # characters of a name


def tree_picture(rows: pl.DataFrame) -> tuple[str, str]:
    """SVG text, and the picture in words, of `group`, `subgroup`, `artists` (uses) a subgroup."""
    order = pl.col("artists").sum().over("group")
    leaves = rows.sort(order, "group", "artists", "subgroup", descending=[True, False, True, False])
    total = max(1, int(leaves.get_column("artists").sum()))
    height = _TOP + _ROW * leaves.height + 10
    root = height / 2
    parts: list[str] = []
    row = 0
    for (group,), mine in leaves.group_by("group", maintain_order=True):
        middle = _TOP + _ROW * (row + mine.height / 2)
        parts.append(_line(_ROOT, root, _GROUP, middle, int(mine.get_column("artists").sum()) / total))
        for subgroup, artists in mine.select("subgroup", "artists").iter_rows():
            y = _TOP + _ROW * (row + 0.5)
            parts.append(_line(_SUBGROUP - 60, middle, _SUBGROUP, y, artists / total))
            parts.append(_text(_SUBGROUP + 5, y, subgroup, artists / total))
            row += 1
        share = int(mine.get_column("artists").sum()) / total
        parts.append(_text(_GROUP + 5, middle, str(group), share, bold=True))
    words = f"{leaves.get_column('group').n_unique()} groups, {leaves.height} subgroups"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="11">'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>'
    )
    return svg, words


def _line(x: float, y: float, to_x: float, to_y: float, share: float) -> str:
    middle = (x + to_x) / 2
    return (
        f'<path d="M{x:.0f},{y:.1f} C{middle:.0f},{y:.1f} {middle:.0f},{to_y:.1f} {to_x:.0f},{to_y:.1f}" '
        f'fill="none" stroke="#2563a8" stroke-opacity="0.45" stroke-width="{max(0.7, 60 * share):.1f}"/>'
    )


def _text(x: float, y: float, name: str, share: float, *, bold: bool = False) -> str:
    short = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
    weight = ' font-weight="bold"' if bold else ""
    halo = ' paint-order="stroke" stroke="#fff" stroke-width="3"'
    return f'<text x="{x:.0f}" y="{y + 4:.1f}"{weight}{halo}>{escape(short)} ({share:.1%})</text>'
