"""Gaps: sessions of which a row may be missing, so that who stands beside whom proves nothing.

Repair by order takes the rows of a session for all of them. A row that was rejected, in this batch
or before, is one that isn't there. What can still be read of its text says which sessions it may
belong to, the least harm first:

1. It tells its session: that session has a gap.
2. Else it tells its time: every session with a row within two hours of it has a gap, for no track is
   longer than that, and so no session is silent for longer.
3. Else it may belong to any session: all rows of its file have one.

A file of which lines are broken at their end, as by a lost connection, is of the second kind. User
ids are told by the session as a whole, whatever is missing of it, and are filled all the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import polars as pl

from pozytywka_spark.ingest.validate.rules.times import iso_micros

SILENCE_HOURS = 2

Loss = tuple[int | None, int | None, str | None]

# A number followed by its delimiter: of a line that breaks off, the last number may lack digits.
_SESSION = re.compile(r'"session_id"\s*:\s*([0-9]{1,18})\s*[,}]', re.ASCII)
_TIME = re.compile(r'"timestamp"\s*:\s*"([^"]*)"', re.ASCII)
_SILENCE = SILENCE_HOURS * 3_600_000_000


def losses_of(raw: str | None, path: str) -> list[Loss]:
    """What a rejected row tells of where a row is missing: its session, else its time, else its file.

    Grain: a row that was lost; two objects on a line are two. Exactly one of each three is given: the
    session, the time in microseconds since 1970, the plain path. Where a line tells more times than
    sessions, one of its rows lacks its session, and the times stand for it.
    """
    text = raw or ""
    sessions = list(dict.fromkeys(map(int, _SESSION.findall(text))))
    losses_by_session: list[Loss] = [(session, None, None) for session in sessions]
    written = _TIME.findall(text)
    if sessions and len(written) <= len(sessions):
        return losses_by_session
    times: list[Loss] = [(None, time, None) for time in map(iso_micros, written) if time is not None]
    return losses_by_session + (times or [(None, None, path)])


def torn_sessions(rows: pl.DataFrame, losses: pl.DataFrame, paths: Sequence[str]) -> pl.Series:
    """The sessions among `rows` that may lack a row, each once.

    `rows`: `session_id`, `event_time`, `source` (place in `paths`, the plain paths of the batch's files; null
    of rows that are there as context only). `losses`: as `parcels.LOST_ROWS`.
    """
    ids = rows.get_column("session_id")
    torn = ids.is_in(losses.get_column("lost_session").drop_nulls().unique().implode())
    torn |= _near(rows.get_column("event_time"), losses.get_column("lost_time"))
    lost_files = set(losses.get_column("lost_file").drop_nulls().unique())
    if lost_files:
        places = [place for place, path in enumerate(paths) if path in lost_files]
        torn |= rows.get_column("source").is_in(places).fill_null(False)
    return ids.filter(torn).unique()


def _near(times: pl.Series, lost: pl.Series) -> pl.Series:
    """Whether a time lies within the silence of one that was lost."""
    losses = np.sort(lost.drop_nulls().dt.epoch("us").to_numpy())
    at = times.dt.epoch("us").to_numpy()
    after = np.searchsorted(losses, at - _SILENCE, side="left")
    return pl.Series(after < np.searchsorted(losses, at + _SILENCE, side="right"))
