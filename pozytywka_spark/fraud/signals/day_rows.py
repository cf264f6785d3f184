"""Events to account-days: the measures of one day each, whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import polars as pl

from pozytywka_spark.features.declared.event_codes import is_play
from pozytywka_spark.fraud.declared.declaration import Level, Measure
from pozytywka_spark.fraud.signals.day_events import day_events

KEYS = ("user_id", "day")
_GROUPED: dict[Level, str] = {"hour": "hour", "track": "track", "artist": "artist"}
EVENTS_AT_ONCE = 500_000


def measure_days(events: pl.DataFrame, artists: pl.DataFrame, measures: Sequence[Measure]) -> pl.DataFrame:
    """Grain: account and UTC day with an event. `user_id`, `day` (a date) and the measures but those of the
    past, Int64; in the order of the keys.

    `events` has `day_events.COLUMNS` and whole account-days, `artists` a row a track.
    """
    chunks = [_measure(some, artists, measures) for some in _some_users(events)]
    return pl.concat(chunks) if len(chunks) > 1 else chunks[0]


def _some_users(events: pl.DataFrame) -> list[pl.DataFrame]:
    """The events in parts of whole accounts, so that one part's columns fit; in the order of accounts."""
    if events.height <= EVENTS_AT_ONCE:
        return [events]
    by_user = events.sort("user_id", nulls_last=True)
    ends = by_user.get_column("user_id").rle_id().to_numpy()
    starts = [0]
    while starts[-1] + EVENTS_AT_ONCE < events.height:
        # from the account that lies at the boundary on; one of more events than that is a part by itself
        at = int(ends.searchsorted(ends[starts[-1] + EVENTS_AT_ONCE]))
        if at <= starts[-1]:
            at = int(ends.searchsorted(ends[starts[-1]] + 1))
        if at >= events.height:
            break
        starts.append(at)
    bounds = [*starts, events.height]
    return [by_user.slice(begin, end - begin) for begin, end in pairwise(bounds)]


def _measure(events: pl.DataFrame, artists: pl.DataFrame, measures: Sequence[Measure]) -> pl.DataFrame:
    ordered = day_events(events, artists)
    days = ordered.group_by("row", maintain_order=True).agg(
        pl.col(*KEYS).first(), *(_aggregated(each) for each in measures if each.level == "event")
    )
    played = ordered.filter(is_play())
    for level, column in _GROUPED.items():
        mine = [each for each in measures if each.level == level]
        if mine:
            known = played if column == "hour" else played.filter(pl.col("track").is_not_null())
            counted = known.group_by("row", column).agg(plays=pl.len().cast(pl.Int64))
            days = days.join(
                counted.group_by("row").agg(_aggregated(each) for each in mine),
                on="row",
                how="left",
                maintain_order="left",
            )
    names = [each.name for each in measures if each.level != "past"]
    return days.select("user_id", pl.col("day").cast(pl.Date), *names)


def _aggregated(measure: Measure) -> pl.Expr:
    return measure.value().cast(pl.Int64).alias(measure.name)
