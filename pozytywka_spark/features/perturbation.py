"""Guard 1, perturbation: features are rebuilt without the future, then with an invented one, and must not
change by a bit."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.guards import GuardResult
from pozytywka_spark.features.kinds import KINDS
from pozytywka_spark.features.months import DAY_MICROS, month_at, number_of
from pozytywka_spark.features.recipe import Silver
from pozytywka_spark.schemas import month_of

Rebuild = Callable[[Silver], DataFrame]
KEYS = ("user_id", "month")
FUTURE_DAYS = 100


def delete_future(events: DataFrame, cut_off: datetime) -> DataFrame:
    """Events before `cut_off` only; an event exactly at it is the future."""
    return events.where(F.col("event_time") < F.lit(cut_off))


def scramble_future(events: DataFrame, cut_off: datetime, seed: int) -> DataFrame:
    """The true future replaced by an invented one: past events dated anew, their types dealt out again.

    A quarter falls exactly on the cut-off, where a closed boundary would see it; the rest within 100
    days after it. Every user gets purchases, likes and adverts. There is an invented future even where
    the data ends.
    """
    past = delete_future(events, cut_off)
    dice = F.xxhash64("event_id", F.lit(seed))
    start = F.unix_micros(F.lit(cut_off).cast("timestamp"))
    offset = F.when(F.pmod(dice, F.lit(4)) == 0, F.lit(0)).otherwise(
        F.pmod(F.shiftrightunsigned(dice, 8), F.lit(FUTURE_DAYS * DAY_MICROS))
    )
    moved = F.timestamp_micros(start + offset)
    kinds = F.array(*(F.lit(name) for name in KINDS))
    invented = past.select(
        F.concat(F.lit("invented-"), F.col("event_id")).alias("event_id"),
        moved.alias("event_time"),
        F.get(kinds, F.pmod(F.shiftrightunsigned(dice, 4), F.lit(len(KINDS))).cast("int")).alias(
            "event_type"
        ),
        *(
            name
            for name in events.columns
            if name not in ("event_id", "event_time", "event_type", "event_month")
        ),
        month_of(moved).alias("event_month"),
    )
    return past.unionByName(invented)


def check_perturbation(
    rebuild: Rebuild,
    silver: Silver,
    features: DataFrame,
    *,
    month: date,
    seed: int,
) -> GuardResult:
    """Guard `perturbation`: `features`, rows of months up to `month`, equal what `rebuild` makes of silver
    tables whose events from the month's end on are deleted, then scrambled; bit for bit.

    Null equals null. Raises `GuardError` naming the feature and a row.
    """
    start = time.monotonic()
    cut_off = datetime.combine(month_at(number_of(month) + 1), datetime.min.time(), UTC)
    known = features.where(F.col("month") <= F.lit(month))
    futures = {
        "deleted": delete_future(silver["events"], cut_off),
        "scrambled": scramble_future(silver["events"], cut_off, seed),
    }
    for how, events in futures.items():
        again = rebuild({**silver, "events": events}).where(F.col("month") <= F.lit(month))
        found = _first_difference(known, again)
        if found:
            feature, user, when = found
            raise GuardError(
                f"guard perturbation: feature {feature} of user {user}, month {when:%Y-%m} changes when the "
                f"events from {cut_off:%Y-%m-%d} on are {how}: it looks into the future; fix its expression"
            )
    return GuardResult(
        "perturbation", f"future after {month:%Y-%m} deleted and scrambled", time.monotonic() - start
    )


def _first_difference(known: DataFrame, again: DataFrame) -> tuple[str, int, date] | None:
    """Feature, user and month of the first cell that differs, a row missing on one side included."""
    names = [name for name in known.columns if name not in KEYS]
    left = known.select(*KEYS, F.lit(True).alias("_left"), *names)
    right = again.select(
        *KEYS, F.lit(True).alias("_right"), *(F.col(name).alias(f"{name}_") for name in names)
    )
    changed = [
        (f"(a row's existence: {side} only)", F.col(mark).isNull())
        for side, mark in (("without the future", "_left"), ("with the true future", "_right"))
    ]
    changed += [(name, ~F.col(name).eqNullSafe(F.col(f"{name}_"))) for name in names]
    first = (
        left.join(right, list(KEYS), "full")
        .select(*KEYS, _first_true(changed).alias("feature"))
        .where("feature is not null")
        .orderBy("month", "user_id")
        .first()
    )
    return (first["feature"], first["user_id"], first["month"]) if first else None


def _first_true(named: Sequence[tuple[str, Column]]) -> Column:
    return F.coalesce(*(F.when(condition, F.lit(name)) for name, condition in named))
