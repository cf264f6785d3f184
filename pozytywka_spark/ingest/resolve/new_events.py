"""New events of a month and a bucket of users: the batch's rows beside those that the table has.

An event is what it says: time, type, user, session and track. How it came (file, case, spelling, whether a
field had to be repaired) is no part of it, so a re-delivery is the same event, and so are a repaired row and
its sound copy. Of equal rows the first counts, sound ones before repaired ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.hashing.event_texts import KIND
from pozytywka_spark.hashing.identity import event_ids, user_bucket
from pozytywka_spark.hashing.slices import slice_of, slices_for
from pozytywka_spark.ingest.outcomes import COUNTS, DUPLICATE, KEPT, REPAIRED, SAME_ROW, count
from pozytywka_spark.ingest.parcels import EVENT, LEFT, LEFT_ROWS, RESCUED, RESCUED_ROWS
from pozytywka_spark.ingest.quality.event_partials import count_rows
from pozytywka_spark.ingest.quality.key_parcels import Staging
from pozytywka_spark.ingest.validate.event_shards import Places, gathered
from pozytywka_spark.lake.event_notes import NOTE, EventNote, note_of
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import EVENTS

# So many rows are sorted at once; a shard of more goes in slices of its users.
ROWS_AT_ONCE = 800_000

SAYS = tuple(EVENT)
_ORDER = ("user_id", "event_time", "session_id", "event_type", "track_id")
_LARGEST, _TYPE_BITS = 2**63 - 1, 3
_WRITTEN = [name for name in EVENTS.columns if name not in EVENTS.partition_by]


@dataclass(frozen=True)
class EventShard:
    """COMPLETE parcels of a month and a bucket of users, and the table's files of the same."""

    month: date
    bucket: int
    parcels: tuple[Parcel, ...]
    existing: tuple[DataFile, ...]

    @property
    def rows(self) -> int:
        """Rows that are compared."""
        return sum(one.rows for one in self.parcels) + sum(one.rows for one in self.existing)

    @property
    def is_new(self) -> bool:
        """Whether the table holds nothing of it: then all its rows are those that are written."""
        return not self.existing

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(one.size for one in self.parcels) + sum(one.size for one in self.existing)


@dataclass(frozen=True)
class NewEvents:
    """Work on `EventShard`s: writes new events, tells `COUNTS`, stages RESCUED and LEFT.

    `buckets` of the table; `staged_by_bucket`: parcels hold rows of their shard's bucket only. A file is
    written for each slice, sorted by user and time, in an order that doesn't depend on how rows came.
    `slices`: shards that are new are counted for the checks as well, see `counted`; None: none is.
    """

    buckets: int
    staged_by_bucket: bool = True
    rows_at_once: int = ROWS_AT_ONCE
    slices: int | None = None

    def __call__(self, items: Sequence[EventShard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Facts of each shard."""
        staging = Staging(files, self.slices or 1)
        for shard in items:
            parts = slices_for(shard.rows, self.rows_at_once)
            for part in range(parts):
                candidates = self._candidates(shard, part, parts, files)
                if candidates.height:
                    existing = self._held(shard, part, parts, files)
                    counts, rows, note = _settle(candidates, existing, shard, files)
                    counted = self.slices is not None and shard.is_new
                    seen = count_rows(rows, shard.month, staging, days=note.days) if counted else {}
                    yield {COUNTS: counts, **seen}
        staging.stage()

    def _candidates(self, shard: EventShard, part: int, parts: int, files: TaskFiles) -> pl.DataFrame:
        if parts == 1 and self.staged_by_bucket:
            return _put_down(shard.parcels, files)
        mine = self._mine(part, parts)
        if not self.staged_by_bucket:
            mine &= user_bucket(pl.col("user_id"), self.buckets) == shard.bucket
        return pl.concat([_put_down([parcel], files).filter(mine) for parcel in shard.parcels])

    def _held(self, shard: EventShard, part: int, parts: int, files: TaskFiles) -> pl.DataFrame | None:
        if not shard.existing:
            return None
        mine = self._mine(part, parts)
        held = pl.concat([files.read([file], SAYS).filter(mine) for file in shard.existing])
        return held.cast({"event_type": KIND})

    def _mine(self, part: int, parts: int) -> pl.Expr:
        return slice_of("user_id", parts, apart_from=self.buckets) == part if parts > 1 else pl.lit(True)


def _put_down(parcels: Sequence[Parcel], files: TaskFiles) -> pl.DataFrame:
    """As `parcels.COMPLETE_ROWS`."""
    return files.read(parcels, None, ["event_type"]).cast({"event_type": KIND})


def _settle(
    candidates: pl.DataFrame, existing: pl.DataFrame | None, shard: EventShard, files: TaskFiles
) -> tuple[list[list[Any]], pl.DataFrame, EventNote]:
    """Write what is new among the candidates; what became of all of them, as `COUNTS`, the new rows, and
    their note.
    """
    new = new_among(candidates, existing)
    if _has_values(candidates, "line_id"):
        files.stage(LEFT, candidates.select("line_id").drop_nulls().cast(LEFT_ROWS))
    rows = new.with_columns(event_ids(new), repaired=pl.col("repair_reason").is_not_null())
    partition = {"event_month": shard.month, "user_bucket": shard.bucket}
    note = note_of(rows)
    written = rows.select(_WRITTEN).cast({"event_type": pl.String})
    files.write(EVENTS, written, partition, noted={NOTE: note.as_text()})
    if _has_values(rows, "rescued"):
        files.stage(RESCUED, _rescued(rows))
    counts = count(DUPLICATE, SAME_ROW, candidates.height - new.height)
    reasons: Iterable[tuple[str | None, int]] = [(None, rows.height)] if rows.height else []
    if _has_values(rows, "repair_reason"):
        reasons = rows.group_by("repair_reason").len().sort("repair_reason").iter_rows()
    for reason, many in reasons:
        counts += count(KEPT if reason is None else REPAIRED, reason, many, shard.month)
    return counts, rows, note


def _has_values(rows: pl.DataFrame, name: str) -> bool:
    return rows[name].null_count() < rows.height


def new_among(candidates: pl.DataFrame, existing: pl.DataFrame | None) -> pl.DataFrame:
    """The candidates that neither `existing` has nor an equal candidate before them, by user and time.

    `candidates`: as `parcels.COMPLETE_ROWS`; `existing`: `SAYS`.
    """
    rows = gathered(candidates, _in_order(candidates)).with_columns(pl.col("user_id").set_sorted())
    return rows if existing is None else _without(rows, existing)


def _in_order(rows: pl.DataFrame) -> Places:
    """The places of rows that say what none before them says, by `_ORDER`."""
    order, open_places = _nearly_in_order(rows)
    if not len(open_places):
        return order
    repaired = pl.col("repair_reason").is_not_null()
    some = rows.with_row_index("_at")[order[open_places]].sort(*_ORDER, repaired, "source", "source_order")
    again = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in SAYS)
    once = some.select(~again | (pl.int_range(pl.len()) == 0)).to_series().to_numpy()
    order[open_places] = some["_at"].to_numpy()
    return np.delete(order, open_places[~once])


def _nearly_in_order(rows: pl.DataFrame) -> tuple[Places, Places]:
    """The rows' places by user, time and type, and where in that order all that they go by must be looked at.

    That is where a user's moment is of several sessions, or has a type twice. The rest is told by one number,
    if numbers are of that many digits.
    """
    user, time, kind, session = (
        rows[name].to_physical().to_numpy() for name in ("user_id", "event_time", "event_type", "session_id")
    )
    first_user, first_time = int(user.min()), int(time.min())
    moments = int(time.max()) - first_time + 1
    if (int(user.max()) - first_user + 1) * moments > _LARGEST >> _TYPE_BITS:
        return np.arange(rows.height), np.arange(rows.height)
    number = (((user - first_user) * moments + (time - first_time)) << _TYPE_BITS) | kind
    order = np.argsort(number)
    number = number[order]
    moment, session = number >> _TYPE_BITS, session[order]
    same = moment[1:] == moment[:-1]
    unclear = np.flatnonzero(same & ((number[1:] == number[:-1]) | (session[1:] != session[:-1])))
    if not len(unclear):
        return order, unclear
    of_moment = np.zeros(len(order), np.int64)
    np.cumsum(~same, out=of_moment[1:])
    is_unclear = np.zeros(int(of_moment[-1]) + 1, np.bool_)
    is_unclear[of_moment[unclear]] = True
    return order, np.flatnonzero(is_unclear[of_moment])


def _without(rows: pl.DataFrame, existing: pl.DataFrame) -> pl.DataFrame:
    """Rows that aren't held. All are compared by a hash; only those whose hash is held by what they say."""
    seen = rows.select(SAYS).hash_rows().is_in(existing.select(SAYS).hash_rows().implode())
    if not seen.any():
        return rows
    numbered = rows.with_row_index("_at")
    same = numbered.filter(seen).join(existing.select(SAYS), on=SAYS, how="semi", nulls_equal=True)
    return numbered.filter(~pl.col("_at").is_in(same.get_column("_at").implode())).drop("_at")


def _rescued(rows: pl.DataFrame) -> pl.DataFrame:
    rescued = rows.filter(pl.col("rescued").is_not_null())
    return rescued.select(pl.col("event_id").bin.encode("hex").alias("key"), "rescued", "source").cast(
        RESCUED_ROWS
    )
