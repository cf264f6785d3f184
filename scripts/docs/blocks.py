"""Pages with parts that are made: what stands between two comments is replaced, all else is as it was."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DOCS = PROJECT / "docs"


def filled(page: str, blocks: Mapping[str, str]) -> str:
    """The page with each of `blocks` between `<!-- made: NAME -->` and `<!-- end: NAME -->`.

    Raises `LookupError` if the page lacks one of them, or has one that isn't made.
    """
    text = (DOCS / page).read_text(encoding="utf-8")
    there = set(re.findall(r"<!-- made: (.+?) -->", text))
    if there != set(blocks):
        raise LookupError(f"docs/{page} has the made parts {sorted(there)}, expected {sorted(blocks)}")
    for name, content in blocks.items():
        head, end = f"<!-- made: {name} -->\n", f"\n<!-- end: {name} -->"
        before, _, rest = text.partition(head)
        _, found, after = rest.partition(end)
        if not found:
            raise LookupError(f"docs/{page}: the part {name} has no end")
        text = f"{before}{head}\n{content}\n{end}{after}"
    return text


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows with the same keys as a Markdown table."""
    head = list(rows[0])
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(_cell(row[name]) for name in head)} |" for row in rows)])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
