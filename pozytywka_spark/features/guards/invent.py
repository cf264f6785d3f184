"""The future that a scrambled world has: events of the months before the cut-off, dated anew after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.features.build.items import Source
from pozytywka_spark.features.build.month_events import CODED, COLUMNS
from pozytywka_spark.features.build.parcels import BOUGHT
from pozytywka_spark.features.build.purchases import first_purchases
from pozytywka_spark.features.guards.sample import Sample
from pozytywka_spark.features.guards.worlds import FUTURE_DAYS, World
from pozytywka_spark.hashing.dice import dice
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.months import DAY_MICROS, cut_off_micros, start_micros
from pozytywka_spark.names import BUY_PREMIUM, EVENT_TYPES, PLAY

# Both have the columns that the second pass reads.
# Events of an invented future, key: (world, month as YYYY-MM-DD, bucket)
INVENTED = "invented"
# Events of a sample's users as they were, key: (month as YYYY-MM-DD, bucket)
SAMPLED = "sampled"
ROWS_AT_ONCE = 500_000


def invent(events: pl.DataFrame, cut_off: date, seed: int) -> pl.DataFrame:
    """Each event once more, dated anew and its type dealt out again. Columns as given, `event_id` among them.

    A quarter falls exactly on the cut-off, where a closed boundary would see it; the rest within 100 days
    after it. Every other user's may be purchases: who buys has no rows from then on. Dice (`dice.dice`) are
    thrown for the first eight bytes of `event_id` as a number, the lowest first, and for the user: the same
    events have the same future, whatever shard or engine they are read by.
    """
    number = pl.col("event_id").bin.slice(0, 8).bin.reinterpret(dtype=pl.Int64, endianness="little")
    thrown = dice(events.select(number), seed, ("event_id",))
    of_user = dice(events, seed, ("user_id",))
    later = (thrown // 256 % (FUTURE_DAYS * DAY_MICROS)).cast(pl.Int64)
    moved = start_micros(cut_off) + pl.when(thrown % 4 == 0).then(0).otherwise(later)
    coded = isinstance(events.schema["event_type"], pl.Enum)
    text = pl.Enum(EVENT_TYPES) if coded else pl.String()
    kinds = pl.lit(pl.Series(EVENT_TYPES, dtype=text)).gather(thrown // 16 % len(EVENT_TYPES))
    no_purchase = (kinds == BUY_PREMIUM) & (of_user % 2 == 1)
    return events.select(
        moved.cast(events.schema["event_time"]).alias("event_time")
        if name == "event_time"
        else pl.when(no_purchase).then(pl.lit(PLAY, text)).otherwise(kinds).alias("event_type")
        if name == "event_type"
        else pl.col(name)
        for name in events.columns
    )


def texts_in(world: World, texts: pl.DataFrame | None) -> pl.DataFrame | None:
    """`parcels.TEXT_ROWS` as they are in a world: those before its cut-off, and what its future is made of.

    That is each of them once more, dated as `invent` dates events, saying the opposite.
    """
    if texts is None:
        return None
    past = texts.filter(pl.col("at") < start_micros(world.cut_off))
    if world.how == "deleted":
        return past
    thrown = dice(past, 0, ("user_id", "at"))
    later = (thrown // 256 % (FUTURE_DAYS * DAY_MICROS)).cast(pl.Int64)
    moved = start_micros(world.cut_off) + pl.when(thrown % 4 == 0).then(0).otherwise(later)
    opposite = past.with_columns(
        moved.alias("at"),
        sentiment=-pl.col("sentiment"),
        price=1 - pl.col("price"),
        adverts=1 - pl.col("adverts"),
    )
    return pl.concat([past, opposite])


@dataclass(frozen=True)
class PastShard:
    """Events of a month and a bucket, and the scrambled worlds whose future is made of them."""

    month: date
    bucket: int
    events: tuple[Source, ...]
    worlds: tuple[World, ...]

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(one.size for one in self.events)


@dataclass(frozen=True)
class InventFutures:
    """Work on `PastShard`s: puts down INVENTED and its first purchases, BOUGHT; in a sample, SAMPLED too.

    So many rows at a time, of one file: a user's first purchase of a month may so be in several parcels, and
    is the earliest of them.
    """

    sample: Sample
    seed: int
    rows_at_once: int = ROWS_AT_ONCE

    def __call__(self, items: Sequence[PastShard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Tells nothing."""
        for shard in items:
            for source in shard.events:
                # identities are most of a file's bytes
                columns = ("event_id", *COLUMNS) if shard.worlds else COLUMNS
                events = self.sample.of(files.read([source], columns, CODED))
                if not self.sample.whole:
                    key = (shard.month.isoformat(), shard.bucket)
                    files.stage(SAMPLED, events.select(COLUMNS), key)
                for some in events.iter_slices(self.rows_at_once):
                    for world in shard.worlds:
                        _put_down(invent(some, world.cut_off, self.seed), world, shard.bucket, files)
        yield from ()


def _put_down(events: pl.DataFrame, world: World, bucket: int, files: TaskFiles) -> None:
    at = pl.col("event_time").dt.epoch("us")
    for month in world.months:
        mine = events.filter(at.is_between(start_micros(month), cut_off_micros(month), closed="left")).select(
            COLUMNS
        )
        files.stage(INVENTED, mine, (world.name, month.isoformat(), bucket))
        files.stage(BOUGHT, first_purchases(mine, month), (world.name, month.isoformat()))
