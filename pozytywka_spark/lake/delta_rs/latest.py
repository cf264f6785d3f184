"""The latest snapshot of a table for those who only read it: opened again when its log is another one.

A log is known by its folder's listing. That costs a fiftieth of opening it, which a job of many small
steps would otherwise do some hundred times.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from threading import Lock

from deltalake import DeltaTable

from pozytywka_spark.lake.delta_rs import log

# tables whose snapshots are kept: each holds a list of the table's files
KEPT = 16

# of each entry its name, file, size and time of change: a table made anew at the same place is another one
Listing = frozenset[tuple[str, int, int, int, int]]

_kept: OrderedDict[str, tuple[Listing, DeltaTable]] = OrderedDict()
_lock = Lock()


def latest_table(path: str, options: dict[str, str] | None = None) -> DeltaTable | None:
    """The latest snapshot, which others may be reading too: never commit with it.

    None if there is no table. Raises as `log.open_table`.
    """
    listed = None if options else _listing(path)
    if not listed:
        return log.open_table(path, options)
    with _lock:
        known = _kept.get(path)
        if known is not None and known[0] == listed:
            _kept.move_to_end(path)
            return known[1]
    table = log.open_table(path)
    if table is not None:
        with _lock:
            _kept[path] = (listed, table)
            _kept.move_to_end(path)
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
    return table


def _listing(path: str) -> Listing | None:
    """The entries of a local table's log; None where they can't be told."""
    try:
        with os.scandir(f"{path}/_delta_log") as entries:
            states = [(entry.name, entry.stat()) for entry in entries]
    except OSError:
        return None
    return frozenset(
        (name, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns) for name, state in states
    )
