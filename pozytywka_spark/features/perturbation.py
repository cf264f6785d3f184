"""Guard 1, perturbation: features are rebuilt without the future, then with an invented one, and must not
change by a bit."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from pozytywka_spark.beside import beside
from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.guards.result import GuardResult
from pozytywka_spark.features.kinds import KINDS
from pozytywka_spark.features.months import DAY_MICROS, month_at, months_between, number_of
from pozytywka_spark.schemas import BUY_PREMIUM, PLAY, month_of
from pozytywka_spark.session_conf import interpreted

Rebuild = Callable[..., DataFrame]
Prepare = Callable[[DataFrame, DataFrame], tuple[DataFrame, ...]]
KEYS = ("user_id", "month")
FUTURE_DAYS = 100
MODEL_MONTHS = 12  # before the cut-off, whose events the invented future is made of
_DICE = ("user_id", "session_id", "event_time", "event_type", "track_id")


def delete_future(events: DataFrame, cut_off: datetime) -> DataFrame:
    """Events before `cut_off`, midnight of a first, only; an event exactly at it is the future.

    Months from the cut-off on aren't even read.
    """
    early = F.col("event_month") < F.lit(cut_off.date())
    return events.where(early & (F.col("event_time") < F.lit(cut_off)))


def scramble_future(events: DataFrame, cut_off: datetime, seed: int) -> DataFrame:
    """The true future replaced by an invented one: past events dated anew, their types dealt out again.

    A quarter falls exactly on the cut-off, where a closed boundary would see it; the rest within 100
    days after it. Every user of the last 12 months gets adverts and likes, every other one purchases too:
    who buys has no rows from then on. There is an invented future even where the data ends.
    """
    past = delete_future(events, cut_off)
    lately = month_at(number_of(cut_off.date()) - MODEL_MONTHS)
    dice = F.xxhash64(*(name for name in _DICE if name in events.columns), F.lit(seed))
    start = F.unix_micros(F.lit(cut_off).cast("timestamp"))
    offset = F.when(F.pmod(dice, F.lit(4)) == 0, F.lit(0)).otherwise(
        F.pmod(F.shiftrightunsigned(dice, 8), F.lit(FUTURE_DAYS * DAY_MICROS))
    )
    moved = F.timestamp_micros(start + offset)
    kinds = F.array(*(F.lit(name) for name in KINDS))
    kind = F.get(kinds, F.pmod(F.shiftrightunsigned(dice, 4), F.lit(len(KINDS))).cast("int"))
    buys = F.pmod(F.xxhash64("user_id", F.lit(seed)), F.lit(2)) == 0
    anew = {
        "event_id": F.concat(F.lit(b"invented-"), F.col("event_id")),
        "event_time": moved,
        "event_type": F.when((kind == BUY_PREMIUM) & ~buys, F.lit(PLAY)).otherwise(kind),
        "event_month": month_of(moved),
    }
    invented = past.where(F.col("event_month") >= F.lit(lately)).select(
        *(anew[name].alias(name) if name in anew else name for name in events.columns)
    )
    return past.unionByName(invented)


def future_months(month: date) -> list[date]:
    """The months in which an invented future after `month` lies: what is rebuilt must not leave them out."""
    end = datetime.combine(month_at(number_of(month) + 1), datetime.min.time()) + timedelta(days=FUTURE_DAYS)
    return months_between(month_at(number_of(month) + 1), end.date())


def check_perturbation(
    rebuild: Rebuild,
    own: DataFrame,
    everyones: DataFrame,
    features: DataFrame,
    *,
    month: date,
    seed: int,
    prepare: Prepare = lambda own, everyones: (own, everyones),
) -> GuardResult:
    """Guard `perturbation`: `features`, rows of months up to `month`, equal what `rebuild` makes of events
    from the month's end on deleted, then scrambled; bit for bit, null equal to null.

    `own` are the events of the users in `features`, `everyones` those of everyone. Both are perturbed and
    given to `prepare`; what it gives is given to `rebuild`. All from there on is interpreted and the two
    worlds are rebuilt beside each other, so what reads many events is best stored by `prepare`.
    Raises `GuardError` naming the features and a row.
    """
    start = time.monotonic()
    cut_off = datetime.combine(month_at(number_of(month) + 1), datetime.min.time(), UTC)
    known = features.where(F.col("month") <= F.lit(month))
    spark = own.sparkSession
    worlds = {
        "deleted": [delete_future(events, cut_off) for events in (own, everyones)],
        "scrambled": [scramble_future(events, cut_off, seed) for events in (own, everyones)],
    }

    def compare(prepared: tuple[DataFrame, ...]) -> dict[str, Row]:
        return differences(known, rebuild(*prepared).where(F.col("month") <= F.lit(month)))

    prepared = beside(spark, lambda world: prepare(*world), worlds.values())
    with interpreted(spark):  # the rows of some users, by the longest plans of all
        found = dict(zip(worlds, beside(spark, compare, prepared), strict=True))
    changed: dict[str, tuple[str, Row]] = {}
    for how, rows in found.items():
        changed = {name: (how, row) for name, row in rows.items()} | changed
    if changed:
        name, (how, row) = next(iter(changed.items()))
        others = f"; so do {', '.join(sorted(set(changed) - {name}))}" if len(changed) > 1 else ""
        raise GuardError(
            f"guard perturbation: feature {name} of user {row['user_id']}, month "
            f"{row['month']:%Y-%m} changes when the events from {cut_off:%Y-%m-%d} on are {how}{others}: "
            "it looks into the future; mend its expression"
        )
    return GuardResult(
        "perturbation", f"future after {month:%Y-%m} deleted and scrambled", time.monotonic() - start
    )


def differences(known: DataFrame, again: DataFrame) -> dict[str, Row]:
    """Features that differ anywhere, with the first row (month, user_id) where they do.

    A row that only one side has differs in all of them.
    """
    names = [name for name in known.columns if name not in KEYS]
    left = known.select(*KEYS, F.lit(True).alias("_left"), *names)
    right = again.select(
        *KEYS, F.lit(True).alias("_right"), *(F.col(name).alias(f"{name}_") for name in names)
    )
    alone = F.col("_left").isNull() | F.col("_right").isNull()
    firsts = [
        F.min(F.when(alone | ~F.col(name).eqNullSafe(F.col(f"{name}_")), F.struct("month", "user_id"))).alias(
            name
        )
        for name in names
    ]
    row = left.join(right, list(KEYS), "full").agg(*firsts).collect()[0]
    return {name: row[name] for name in names if row[name] is not None}
