"""What a lake on this disk holds, told in numbers that two lakes or two moments are compared by."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import polars as pl


def digests(root: Path, without: Collection[str] = ()) -> dict[str, tuple[int, int]]:
    """Of each table: its rows, and a digest of them whatever their order and that of their columns.

    `without`: columns that are left out. Read without Spark, which would plan and compile a query a table.
    Digests are the same within a process only.
    """
    found = {}
    for log in sorted(root.glob("*/_delta_log")):
        rows = pl.read_delta(str(log.parent))
        rows = rows.select(sorted(set(rows.columns) - set(without)))
        found[log.parent.name] = (rows.height, sum(rows.hash_rows().to_list()))
    return found
