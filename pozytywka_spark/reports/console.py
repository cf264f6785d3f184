"""A table as a person at a terminal, or a log, reads it: nothing of it is ever cut off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from pozytywka_spark.reports.formatting import fixed_4, format_value

_NARROWEST = 20  # a text column that would have to be narrower is no table any more


def table_lines(title: str, rows: Sequence[Mapping[str, Any]], width: int) -> list[str]:
    """Rows (all with the same keys) as lines of text; numbers stand to the right.

    A table as it is where it fits into `width` columns; one whose texts are wrapped at blanks where
    that makes it fit; else a record a row, each value on a line of its own, however long.

    >>> rows = [{"side": "train", "rows": 2567}, {"side": "test", "rows": 902}]
    >>> print("\\n".join(table_lines("sides", rows, width=80)))
    sides
    side    rows
    train  2,567
    test     902
    """
    console = Console(width=width, file=StringIO(), highlight=False, color_system=None)
    for wrapped in (False, True):
        table = _table(rows, wrapped=wrapped)
        need = Measurement.get(console, console.options.update(width=100_000), table)
        if (need.minimum if wrapped else need.maximum) <= width:
            with console.capture() as captured:
                console.print(table)
            return [title, *(line.rstrip() for line in captured.get().splitlines())]
    return [title, *_records(rows)]


def _table(rows: Sequence[Mapping[str, Any]], *, wrapped: bool) -> Table:
    """Columns of numbers and short texts keep their width; long texts may be wrapped."""
    table = Table(box=None, pad_edge=False)
    for key, first in rows[0].items():
        texts = [_shown(row[key]) for row in rows]
        numbers = isinstance(first, (int, float)) and not isinstance(first, bool)
        longest = max(cell_len(line) for text in (key, *texts) for line in text.split("\n"))
        whole = not wrapped or numbers or longest <= _NARROWEST
        table.add_column(
            Text(key),
            justify="right" if numbers else "left",
            no_wrap=whole,
            overflow="fold",
            min_width=longest if whole else max(_NARROWEST, _longest_word([key, *texts])),
        )
    for row in rows:
        # as text: in a string rich takes what stands in brackets for its own markup
        table.add_row(*(Text(_shown(row[key])) for key in rows[0]))
    return table


def _records(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    names = max(len(key) for key in rows[0])
    lines = []
    for row in rows:
        lines.append("")
        for key in rows[0]:
            first, *others = _shown(row[key]).split("\n")
            lines.append(f"{key:<{names}}  {first}".rstrip())
            lines += [f"{'':<{names}}  {other}".rstrip() for other in others]
    return lines


def _longest_word(texts: Sequence[str]) -> int:
    return max((cell_len(word) for text in texts for word in text.split()), default=0)


def _shown(value: Any) -> str:
    return format_value(value, fixed_4)
