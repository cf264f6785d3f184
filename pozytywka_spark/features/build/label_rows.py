"""Labels: whether a user who had not bought by the cut-off buys soon after, or ever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from pozytywka_spark.features.times import cut_off_of
from pozytywka_spark.months import next_month

if TYPE_CHECKING:
    from pozytywka_spark.config import Label
    from pozytywka_spark.lake.data_span import DataSpan

_MICRO = timedelta(microseconds=1)
_TIME = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class LabelPlan:
    """What labels follow from.

    The label's column, its horizon in microseconds, the data's end in microseconds since 1970 (UTC), and the
    first month that the data don't begin too late for.
    """

    horizon_column: str
    horizon: int
    data_end: int
    first_whole: date

    @classmethod
    def of(cls, span: DataSpan, label: Label) -> LabelPlan:
        """The plan for data of this span."""
        first = next_month(span.first) if span.is_begun_late(span.first) else span.first
        horizon, end = timedelta(days=label.horizon_days), span.end - datetime(1970, 1, 1, tzinfo=UTC)
        return cls(label.horizon_column, horizon // _MICRO, end // _MICRO, first)


@dataclass(frozen=True)
class LabelCount:
    """Of a month: rows, mature ones, positives within the horizon and ever, whether the data cover it."""

    month: date
    rows: int
    mature: int
    positives: int
    buys_ever: int
    complete: bool

    def told(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self) | {"month": self.month.isoformat()}


def label_rows(rows: pl.DataFrame, purchases: pl.DataFrame, plan: LabelPlan) -> pl.DataFrame:
    """Grain and order: user and month, as `rows`; columns of `schemas.labels_table`.

    `rows` has `user_id` and `month`; `purchases`, grain user, `user_id` and `purchased_at`, the first one, in
    microseconds since 1970 (UTC).

    The label is 1 if the first purchase lies in `[cut_off, horizon_end)`, and null until the row is
    mature, that is until the data's end is at or past `horizon_end`: an early purchase would show in
    an immature row, a late one would not, and training on such rows would learn the calendar.
    The data's end is the only moment up to which deliveries prove to be complete. A purchase at or after it
    is not known yet, be it of a stray clock or of a day cut short: `buys_ever` is censored by the end. A
    purchase before the data's start is one all the same: its user has no rows, for when they bought nobody
    knows. `complete` is true where the data cover the whole month.
    """
    ends = pl.col("cut_off") + plan.horizon
    bought = (pl.col("purchased_at") < plan.data_end).fill_null(value=False)
    over = pl.col("cut_off") <= plan.data_end
    timed = rows.select("user_id", "month", cut_off=cut_off_of(pl.col("month")))
    return (
        timed.join(purchases, on="user_id", how="left", maintain_order="left")
        .with_columns(horizon_end=ends, mature=ends <= plan.data_end, bought=bought)
        .select(
            "user_id",
            "month",
            pl.col("cut_off", "horizon_end").cast(_TIME),
            "mature",
            pl.when("mature")
            .then(pl.col("bought") & (pl.col("purchased_at") < pl.col("horizon_end")))
            .cast(pl.Int32)
            .alias(plan.horizon_column),
            pl.col("bought").cast(pl.Int32).alias("buys_ever"),
            complete=over & (pl.col("month") >= plan.first_whole),
        )
    )


def count_labels(labels: pl.DataFrame, horizon_column: str) -> list[LabelCount]:
    """What labels come to, by month in order; see `added` for those of several slices."""
    counted = labels.group_by("month").agg(
        rows=pl.len(),
        mature=pl.col("mature").sum(),
        positives=pl.col(horizon_column).sum(),
        buys_ever=pl.col("buys_ever").sum(),
        complete=pl.col("complete").all(),
    )
    return [LabelCount(**row) for row in counted.sort("month").iter_rows(named=True)]


def added(results: Iterable[Mapping[str, Any]]) -> list[LabelCount]:
    """Counts that several slices told (`LabelCount.told`), by month in order."""
    months: dict[date, LabelCount] = {}
    for facts in results:
        one = LabelCount(**{**facts, "month": date.fromisoformat(facts["month"])})
        before = months.get(one.month)
        months[one.month] = one if before is None else _both(before, one)
    return [months[month] for month in sorted(months)]


def _both(one: LabelCount, other: LabelCount) -> LabelCount:
    return LabelCount(
        one.month,
        one.rows + other.rows,
        one.mature + other.mature,
        one.positives + other.positives,
        one.buys_ever + other.buys_ever,
        one.complete and other.complete,
    )
