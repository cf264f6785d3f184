"""The guard's worlds: events before a day's end as they were, and none or others at and after it.

A signal of an earlier day that comes out otherwise in one of them has looked past its day's end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import polars as pl

from pozytywka_spark.errors import GuardError
from pozytywka_spark.hashing.dice import dice
from pozytywka_spark.months import DAY_MICROS, next_month, start_micros
from pozytywka_spark.names import EVENT_TYPES

How = Literal["deleted", "scrambled"]
WORLDS: tuple[How, ...] = ("deleted", "scrambled")
_FUTURE_DAYS = 40


@dataclass(frozen=True)
class Guarded:
    """A day's end in a month: `cut_off` is the first day of what is no longer as it was."""

    month: date
    cut_off: date
    seed: int


def guarded_day(month: date, seed: int) -> Guarded:
    """A day's end within the month, by the seed, with days on both sides of it."""
    days = (next_month(month) - month).days
    return Guarded(month, month + timedelta(days=2 + seed % (days - 4)), seed)


def world_of(events: pl.DataFrame, guarded: Guarded, how: How) -> pl.DataFrame:
    """The month's events in that world; columns as given.

    Scrambled: every event happens once more, of another type and with another's track, within 40 days from
    the cut-off on; a quarter of them on the very cut-off.
    """
    cut_off = start_micros(guarded.cut_off)
    at = pl.col("event_time").dt.epoch("us")
    past = events.filter(at < cut_off)
    if how == "deleted":
        return past
    thrown = dice(
        events.select(pl.col("event_time").dt.epoch("us"), pl.col("user_id").fill_null(0)),
        guarded.seed,
        ("event_time", "user_id"),
    )
    later = (thrown // 256 % (_FUTURE_DAYS * DAY_MICROS)).cast(pl.Int64)
    moved = cut_off + pl.when(thrown % 4 == 0).then(0).otherwise(later)
    kinds = pl.lit(pl.Series(EVENT_TYPES)).gather(thrown // 16 % len(EVENT_TYPES))
    future = events.with_columns(
        moved.cast(events.schema["event_time"]).alias("event_time"),
        kinds.alias("event_type"),
        pl.col("track_id").reverse(),
    )
    return pl.concat([past, future])


def check_unchanged(made: pl.DataFrame, again: pl.DataFrame, guarded: Guarded, how: str) -> int:
    """Compare rows of signals of the guarded month's days before the cut-off; how many there are.

    `made` and `again`: user_id, day, signals. Raises `GuardError` naming a signal and an account's day.
    """
    before = pl.col("day").is_between(guarded.month, guarded.cut_off, closed="left")
    one, other = (rows.filter(before).sort("user_id", "day") for rows in (made, again))
    if not one.select("user_id", "day").equals(other.select("user_id", "day")):
        raise GuardError(
            f"guard perturbation: with events from {guarded.cut_off} on {how}, there are other account-days "
            "before it: whatever makes them looks past the day's end"
        )
    for name in one.columns[2:]:
        differs = one.get_column(name).ne_missing(other.get_column(name))
        if differs.any():
            user, day, value = one.filter(differs).select("user_id", "day", name).row(0)
            instead = other.filter(differs).get_column(name)[0]
            raise GuardError(
                f"guard perturbation: signal {name} of account {user} on {day} is {value}, and {instead} "
                f"with events from {guarded.cut_off} on {how}: it looks past the day's end"
            )
    return one.height
