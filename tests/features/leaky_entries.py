"""Twenty-four catalogue entries that look into the future or know the label, declared as honest ones are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from pozytywka_spark.features.behaviour import FIRST_EVENT, LAST_EVENT, PRIOR_PLAYS
from pyspark.sql import Column, Window, WindowSpec
from pyspark.sql import functions as F

from pozytywka_spark.features.analysts import ADS, PLAYS, SKIPS
from pozytywka_spark.features.entry import Feature
from pozytywka_spark.features.months import month_number, number_of


def _lifetime() -> WindowSpec:
    return Window.partitionBy("user_id")


def _months(begin: int, end: int) -> WindowSpec:
    return _lifetime().orderBy(month_number(F.col("month"))).rangeBetween(begin, end)


def _backwards() -> WindowSpec:
    return _lifetime().orderBy(F.desc("month")).rowsBetween(Window.unboundedPreceding, Window.currentRow)


def _next(name: str) -> Column:
    return F.lead(name).over(_lifetime().orderBy("month"))


def _world() -> WindowSpec:
    return Window.partitionBy(F.lit(1))


LEAKS: dict[str, Callable[[], Column]] = {
    "count_over_all_time": lambda: F.sum("plays").over(_lifetime()),
    "next_months_plays": lambda: F.sum("plays").over(_months(1, 1)),
    "trailing_window_with_next_month": lambda: F.sum("plays").over(_months(-2, 1)),
    "trailing_window_to_the_end": lambda: F.sum("skips").over(_months(0, 99)),
    "centred_mean_of_adverts": lambda: F.avg("ads").over(_months(-1, 1)),
    "change_to_next_month": lambda: _next("plays") - F.col("plays"),
    "share_of_lifetime_plays": lambda: F.col("plays") / F.nullif(F.sum("plays").over(_lifetime()), F.lit(0)),
    "lifetime_skip_rate": lambda: F.sum("skips").over(_lifetime()) / (F.sum("plays").over(_lifetime()) + 1),
    "lifetime_advert_share": lambda: F.sum("ads").over(_lifetime()) / (F.sum("plays").over(_lifetime()) + 1),
    "months_active_ever": lambda: F.count(F.lit(1)).over(_lifetime()),
    "months_still_to_come": lambda: F.count(F.lit(1)).over(_backwards()),
    "last_event_ever": lambda: F.max("last_event_us").over(_lifetime()),
    "days_until_next_event": lambda: _next("first_event_us") - F.col("last_event_us"),
    "last_month_of_the_user": lambda: _next("plays").isNull().cast("int"),
    "busiest_month_ever": lambda: F.max("plays").over(_lifetime()),
    "adverts_stop_soon": lambda: F.max(F.when(F.col("ads") > 0, F.col("last_event_us"))).over(_lifetime()),
    "popularity_from_the_future": lambda: F.max("prior_plays_total").over(_months(0, 12)),
    "mean_fitted_on_all_months": lambda: F.col("plays") - F.avg("plays").over(_world()),
    "spread_fitted_on_all_months": lambda: F.col("plays") / (F.stddev("plays").over(_world()) + 1),
    "rank_among_all_rows": lambda: F.rank().over(_world().orderBy("plays")),
    "end_of_the_data": lambda: F.max("last_event_us").over(_world()),
    "filled_back_from_next_month": lambda: F.coalesce(_next("ads"), F.col("ads")),
    "plays_of_the_calendar_year": lambda: F.sum("plays").over(
        Window.partitionBy("user_id", F.year("month"))
    ),
    "first_of_the_reversed_order": lambda: F.first("plays").over(_backwards()),
}  # fmt: skip


def entry(name: str, expression: Callable[[], Column]) -> Feature:
    """A leak as an entry of the catalogue."""
    measures = (PLAYS, SKIPS, ADS, FIRST_EVENT, LAST_EVENT, PRIOR_PLAYS)
    return Feature(name, name, "1", "count", "never null", "events", measures, expression)


def leaky_entries() -> tuple[Feature, ...]:
    """All of them."""
    return tuple(entry(name, expression) for name, expression in LEAKS.items())


def entry_that_knows(rows: Sequence[tuple[int, date]]) -> Feature:
    """A list of the rows whose users buy, as a table joined too early would be: no event changes it."""
    known = [user * 100_000 + number_of(month) for user, month in rows]
    return entry("chosen_few", lambda: _row().isin(known).cast("int"))


def _row() -> Column:
    return F.col("user_id") * 100_000 + month_number(F.col("month"))
