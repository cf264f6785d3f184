"""Rows brought together by session: those of sessions in need, and of sampled ones as evidence.

Events lie by month and user; a session in need may have rows in two months, and some that lack their user.
So rows are read where they lie and put down by slices of session ids. Sessions that nothing is the matter
with stay where they are, but for a sample: what sessions show of their grammar is told by some of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.hashing.slices import slice_of
from pozytywka_spark.ingest.parcels import EVENT, INCOMPLETE, NEEDY, NEEDY_ROWS, SESSION, SESSION_ROWS
from pozytywka_spark.ingest.resolve.repair import TRACK_OF_FOLLOWER, TRACK_OF_PLAY, TYPE, USER
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles

FILLED_USER, FILLED_TYPE, FILLED_TRACK = 1, 2, 4
_FILLED = {USER: FILLED_USER, TYPE: FILLED_TYPE, TRACK_OF_PLAY: FILLED_TRACK, TRACK_OF_FOLLOWER: FILLED_TRACK}

# Rows that wait to be put down together
_WAITING = 1_000_000


@dataclass(frozen=True)
class SessionSlice:
    """What was brought together of the sessions of one slice: SESSION and NEEDY parcels."""

    number: int
    around: tuple[Parcel, ...]
    needy: tuple[Parcel, ...]

    @property
    def rows(self) -> int:
        """Rows that are looked at."""
        return sum(one.rows for one in self.around) + sum(one.rows for one in self.needy)


@dataclass(frozen=True)
class Gather:
    """Work on COMPLETE and INCOMPLETE parcels and files of the table: stages SESSION and NEEDY.

    Of complete rows those are kept whose session is among `needed` (all INCOMPLETE parcels), or sampled: one
    session of `shares`. `slices`: in how many parts.
    """

    needed: tuple[Parcel, ...]
    slices: int
    shares: int

    def __call__(self, items: Sequence[Parcel | DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """How many rows were put down."""
        needed = files.shared(self.needed, ["session_id"]).get_column("session_id").unique().implode()
        is_chosen = pl.col("session_id").is_in(needed) | sampled(self.shares)
        for kind, mine in (
            (NEEDY, [item for item in items if isinstance(item, Parcel) and item.kind == INCOMPLETE]),
            (SESSION, [item for item in items if not (isinstance(item, Parcel) and item.kind == INCOMPLETE)]),
        ):
            waiting: list[pl.DataFrame] = []
            for item in mine:
                rows = files.read([item]) if kind == NEEDY else _complete(item, files).filter(is_chosen)
                waiting.append(rows)
                if sum(rows.height for rows in waiting) > _WAITING:
                    yield self._stage(kind, waiting, files)
                    waiting = []
            if waiting:
                yield self._stage(kind, waiting, files)

    def _stage(self, kind: str, waiting: Sequence[pl.DataFrame], files: TaskFiles) -> dict[str, Any]:
        rows = pl.concat(waiting)
        number = rows.select(session_slice(self.slices, self.shares).alias("_slice"))
        parts = rows.hstack(number).partition_by("_slice", as_dict=True, include_key=False)
        for (part,), mine in sorted(parts.items()):
            files.stage(kind, mine.select(*(NEEDY_ROWS if kind == NEEDY else SESSION_ROWS)), (int(part),))
        return {kind: rows.height}


def sampled(shares: int) -> pl.Expr:
    """Whether a row's session is one of the sample: one of `shares`, by a stated hash of its id."""
    return user_bucket(pl.col("session_id"), shares) == 0


def session_slice(slices: int, shares: int) -> pl.Expr:
    """The slice of a row's session; the sample is spread over all slices."""
    return slice_of("session_id", slices, apart_from=shares)


def _complete(item: Parcel | DataFile, files: TaskFiles) -> pl.DataFrame:
    """Rows of a parcel or of a file of the table, as `SESSION_ROWS`."""
    if isinstance(item, Parcel):
        rows = files.read([item], [*EVENT, "source"])
        return rows.with_columns(filled=pl.lit(0, pl.Int8)).select(*SESSION_ROWS)
    rows = files.read([item], [*EVENT, "repair_reason"])
    reasons = rows.get_column("repair_reason").unique().drop_nulls().to_list()
    codes = {reason: sum({_FILLED.get(part, 0) for part in reason.split(",")}) for reason in reasons}
    filled = pl.col("repair_reason").replace_strict(codes, default=0, return_dtype=pl.Int8)
    return rows.select(*EVENT, filled.alias("filled"), pl.lit(None, pl.Int32).alias("source"))


def as_they_came(around: pl.DataFrame) -> pl.DataFrame:
    """SESSION rows without what their session told: what was filled in before is no evidence.

    So the same delivery shows the same grammar whether it is there already or not. `no_track`: its track was
    given as none.
    """
    filled = pl.col("filled")
    lost_type, lost_track = filled & FILLED_TYPE != 0, filled & FILLED_TRACK != 0
    return around.with_columns(
        no_track=lost_type & pl.col("track_id").is_null(),
        event_type=pl.when(~lost_type).then("event_type"),
        track_id=pl.when(~lost_track).then("track_id"),
        user_id=pl.when(filled & FILLED_USER == 0).then("user_id"),
    )
