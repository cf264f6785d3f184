"""Rows of a session that can decide what its incomplete rows are; the others need no look.

Repair by order goes from a row to the plays before and after it, two each way, and no further (see
`certain`). All that counts beyond is: who the session's users are, when premium was bought, when the last
advert was; and that a session is too long, or an instant too crowded, to be told at all. So those rows are
kept and the rest is left out, and what is told of a session is the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.ingest.resolve.certain_values import CROWD, NEAR
from pozytywka_spark.ingest.resolve.session_rows import LONGEST, WITH_TRACK
from pozytywka_spark.names import ADVERTISEMENT, BUY_PREMIUM, PLAY

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]


def is_whole() -> pl.Expr:
    """Whether a row has its type, and the track that its type calls for."""
    typed, with_track = pl.col("event_type").is_not_null(), pl.col("event_type").is_in(list(WITH_TRACK))
    return typed & (pl.col("track_id").is_not_null() | ~with_track)


def have_a_say(rows: pl.DataFrame) -> pl.Series:
    """Whether a row can have a say in the incomplete rows of its session.

    `rows`: all of these sessions, by `session_id` and `event_time`; `torn`: the session may lack a row, so
    that its order tells nothing; `needy`: the row is incomplete.
    """
    flags = rows.select(
        "torn",
        "needy",
        whole=is_whole(),
        play=(pl.col("event_type") == PLAY).fill_null(False),
        session=pl.col("session_id").ne_missing(pl.col("session_id").shift(1)),
        instant=pl.struct("session_id", "event_time").ne_missing(
            pl.struct("session_id", "event_time").shift(1)
        ),
        tells=pl.struct("session_id", "user_id").is_first_distinct() & pl.col("user_id").is_not_null()
        | (pl.col("event_type") == BUY_PREMIUM).fill_null(False)
        | pl.struct("session_id", "event_type").is_last_distinct()
        & (pl.col("event_type") == ADVERTISEMENT).fill_null(False),
    )
    masks = {name: flags.get_column(name).to_numpy() for name in flags.columns}
    if not rows.height:
        return pl.Series([], dtype=pl.Boolean)
    starts = np.flatnonzero(masks["instant"])
    matters = np.logical_or.reduceat(masks["needy"] | masks["tells"], starts)
    matters |= _near(masks, starts)
    return pl.Series(np.repeat(matters, np.diff(np.append(starts, rows.height))))


def _near(masks: dict[str, Any], starts: Places) -> Mask:
    """The instants that are near an open row, or of a session that is kept whole; by instant."""
    rows = len(masks["whole"])
    begins = np.flatnonzero(masks["session"][starts])  # of sessions, in instants
    ends = np.append(begins[1:], len(starts))
    session = np.repeat(np.arange(len(begins)), ends - begins)
    torn = masks["torn"][starts]
    opened = np.flatnonzero(np.logical_or.reduceat(~masks["whole"], starts) & ~torn)
    plays = np.logical_or.reduceat(masks["play"], starts)
    first, last = _reach(opened, np.flatnonzero(plays))
    edges = np.zeros(len(starts) + 1, np.int64)
    np.add.at(edges, np.maximum(first, begins[session[opened]]), 1)
    np.add.at(edges, np.minimum(last + 1, ends[session[opened]]), -1)
    crowded = np.maximum.reduceat(np.diff(np.append(starts, rows)), begins) > CROWD
    long = np.diff(np.append(starts[begins], rows)) > LONGEST
    near: Mask = (np.cumsum(edges[:-1]) > 0) | ((crowded | long)[session] & ~torn)
    return near


def _reach(opened: Places, plays: Places) -> tuple[Places, Places]:
    """The instants of the second play before and after each of `opened`, whatever session they are of."""
    none = np.iinfo(np.int64).max // 2
    padded = np.concatenate([np.full(NEAR, -1), plays, np.full(NEAR, none)])
    before = np.searchsorted(plays, opened, side="left")
    after = np.searchsorted(plays, opened, side="right")
    return padded[before], padded[after + 2 * NEAR - 1]
