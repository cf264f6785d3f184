"""Twenty-four catalogue entries that look into the future or know the label, declared as honest ones are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import polars as pl

from pozytywka_spark.features.declared.adverts import adverts
from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.features.declared.listening import plays, skips
from pozytywka_spark.features.declared.sessions import first_event, last_event
from pozytywka_spark.features.declared.tracks import prior_plays
from pozytywka_spark.features.declared.values import Formula
from pozytywka_spark.features.times import month_number
from pozytywka_spark.months import number_of


def _ever(aggregate: pl.Expr) -> pl.Expr:
    """Over all months of the user."""
    return aggregate.over("user_id")


def _in_order(expression: pl.Expr) -> pl.Expr:
    return expression.over("user_id", order_by="month")


def _months(name: str, begin: int, end: int) -> list[pl.Expr]:
    """The measure in each of the user's months from `begin` to `end` months after the row's; null if none."""
    number = month_number(pl.col("month"))
    return [
        _in_order(
            pl.when((number.shift(-rows) - number).is_between(begin, end)).then(pl.col(name).shift(-rows))
        )
        for rows in range(begin, end + 1)
    ]


def _next(name: str) -> pl.Expr:
    return _in_order(pl.col(name).shift(-1))


def _lifetime_plays() -> pl.Expr:
    return _ever(pl.col("plays").sum())


LEAKS: dict[str, Callable[[], pl.Expr]] = {
    "count_over_all_time": _lifetime_plays,
    "next_months_plays": lambda: pl.sum_horizontal(_months("plays", 1, 1)),
    "trailing_window_with_next_month": lambda: pl.sum_horizontal(_months("plays", -2, 1)),
    "trailing_window_to_the_end": lambda: _in_order(pl.col("skips").cum_sum(reverse=True)),
    "centred_mean_of_adverts": lambda: pl.mean_horizontal(_months("ads", -1, 1)),
    "change_to_next_month": lambda: _next("plays") - pl.col("plays"),
    "share_of_lifetime_plays": lambda: (
        pl.col("plays") / pl.when(_lifetime_plays() > 0).then(_lifetime_plays())
    ),
    "lifetime_skip_rate": lambda: _ever(pl.col("skips").sum()) / (_lifetime_plays() + 1),
    "lifetime_advert_share": lambda: _ever(pl.col("ads").sum()) / (_lifetime_plays() + 1),
    "months_active_ever": lambda: _ever(pl.len()),
    "months_still_to_come": lambda: _in_order(pl.col("plays").cum_count(reverse=True)),
    "last_event_ever": lambda: _ever(pl.col("last_event_us").max()),
    "days_until_next_event": lambda: _next("first_event_us") - pl.col("last_event_us"),
    "last_month_of_the_user": lambda: _next("plays").is_null(),
    "busiest_month_ever": lambda: _ever(pl.col("plays").max()),
    "adverts_stop_soon": lambda: _ever(pl.when(pl.col("ads") > 0).then(pl.col("last_event_us")).max()),
    "popularity_from_the_future": lambda: pl.max_horizontal(_months("prior_plays_total", 0, 12)),
    "mean_fitted_on_all_months": lambda: pl.col("plays") - pl.col("plays").mean(),
    "spread_fitted_on_all_months": lambda: pl.col("plays") / (pl.col("plays").std() + 1),
    "rank_among_all_rows": lambda: pl.col("plays").rank("min"),
    "end_of_the_data": lambda: pl.col("last_event_us").max(),
    "filled_back_from_next_month": lambda: pl.coalesce(_next("ads"), pl.col("ads")),
    "plays_of_the_calendar_year": lambda: pl.col("plays").sum().over("user_id", pl.col("month").dt.year()),
    "first_of_the_reversed_order": lambda: _in_order(pl.col("plays").last()),
}


def entry(name: str, expression: Callable[[], pl.Expr]) -> Feature:
    """A leak as an entry of the catalogue."""
    measures = (plays, skips, adverts, first_event, last_event, prior_plays)
    value = Formula(arithmetic="", measures=measures, expression=expression)
    return Feature(name=name, meaning=name, unit="1", kind="count", null="never null", value=value)


def leaky_entries() -> tuple[Feature, ...]:
    """All of them."""
    return tuple(entry(name, expression) for name, expression in LEAKS.items())


def entry_that_knows(rows: Sequence[tuple[int, date]]) -> Feature:
    """A list of the rows whose users buy, as a table joined too early would be: no event changes it."""
    known = [user * 100_000 + number_of(month) for user, month in rows]
    return entry("chosen_few", lambda: _row().is_in(known))


def _row() -> pl.Expr:
    return pl.col("user_id") * 100_000 + month_number(pl.col("month"))
