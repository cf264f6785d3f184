"""Participants and their outcomes: one row per user, from assignments, events and the time before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from pozytywka_spark.dataset.subgroups import named_range
from pozytywka_spark.errors import DataError
from pozytywka_spark.experiments.analysis.past_groups import Groups, with_top_group
from pozytywka_spark.experiments.purchases import first_purchases
from pozytywka_spark.features.times import month_number
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.months import DAY_MICROS, month_at, number_of, start_micros
from pozytywka_spark.names import SUBGROUPS, TOP_GROUP

NONE = -1  # month number of users who haven't bought


@dataclass(frozen=True)
class Past:
    """What is known of the time before: files of `users`, `user_debuts`, and of `user_month` that matter.

    Covariates are of `measures` over `months` before a user's own entry.
    """

    users: tuple[DataFile, ...]
    debuts: tuple[DataFile, ...]
    user_month: tuple[DataFile, ...]
    measures: tuple[str, ...]
    months: int
    groups: Groups | None = None


def as_outcomes(assigned: pl.DataFrame, bought: pl.DataFrame, until: date) -> pl.DataFrame:
    """Grain user with a group: `user_id`, `group` and `revision` (the first), `moved` boolean, `entered` and
    `bought` (month numbers; -1: not yet), `early` boolean (bought before entry: takes no part).

    `assigned` as of `current`; `bought`: user_id and purchased_at, several rows a user. Only purchases in
    [entry, until) count; a purchase at the very cut-off of entry lies after it.
    """
    first = first_purchases(bought)
    entry, purchase = pl.col("entered_at"), pl.col("purchased_at")
    counts = (purchase >= entry) & (purchase < start_micros(until))
    return assigned.join(first, on="user_id", how="left", maintain_order="left").select(
        "user_id",
        (pl.col("first_group") != pl.col("group")).alias("moved"),
        pl.col("first_group").alias("group"),
        "revision",
        _number_at(entry).alias("entered"),
        pl.when(counts).then(_number_at(purchase)).otherwise(NONE).alias("bought"),
        (purchase < entry).fill_null(value=False).alias("early"),
    )


def with_past(users: pl.DataFrame, past: Past, files: TaskFiles) -> pl.DataFrame:
    """Add `city` (null unknown), `tenure` and `activity` (segments), and covariates `x0`, `x1` …; where
    there are groups of genres also the segment TOP_GROUP.

    Everything is of months before the user's own entry, but for the city, a snapshot. Covariates are
    ln(1 + sum) of each measure and ln(1 + months since the first event).
    """
    cities = files.shared(past.users, ["user_id", "city"]).drop_nulls("user_id").unique("user_id")
    debuts = pl.DataFrame(schema={"user_id": pl.Int64(), "first_event": pl.Int64()})
    if past.debuts:
        rows = files.shared(past.debuts, ["user_id", "first_event_at"])
        debuts = rows.select("user_id", first_event=pl.col("first_event_at").dt.epoch("us")).unique("user_id")
    joined = users
    for side in (cities, past_of(users, past, files), debuts):
        joined = joined.join(side, on="user_id", how="left", maintain_order="left")
    first = pl.col("first_event")
    tenure = (pl.col("entered") - _number_at(first)).fill_null(0).clip(0)
    entry = (
        pl.date(pl.col("entered") // 12, pl.col("entered") % 12 + 1, 1).cast(pl.Datetime("us")).dt.epoch("us")
    )
    days = ((entry - first) // DAY_MICROS).fill_null(0).clip(0)
    values = [*(pl.col(f"_{name}").fill_null(0) for name in past.measures), tenure]
    segments = ["city", *([TOP_GROUP] if past.groups else [])]
    if past.groups:
        joined = with_top_group(joined, past.groups, files)
    return joined.select(
        *users.columns,
        *segments,
        named_range("tenure", days).alias("tenure"),
        named_range("activity", pl.col("_plays").fill_null(0)).alias("activity"),
        *(value.cast(pl.Float64).log1p().alias(f"x{place}") for place, value in enumerate(values)),
    )


def without_past(users: pl.DataFrame) -> pl.DataFrame:
    """As `with_past` where the features job has not run: no segments, no covariates."""
    return users.with_columns(pl.lit(None, pl.String).alias(name) for name in SUBGROUPS)


def past_of(users: pl.DataFrame, past: Past, files: TaskFiles) -> pl.DataFrame:
    """Grain user with a row in `user_month` within the months before entry: the measures' sums, `_name`."""
    names = list(dict.fromkeys(["plays", *past.measures]))
    entries = users.select("user_id", "entered")
    before = month_number(pl.col("month")) - pl.col("entered")
    parts = [
        files.read([file], ["user_id", "month", *names])
        .join(entries, on="user_id", how="inner")
        .filter((before < 0) & (before >= -past.months))
        .select("user_id", *names)
        for file in past.user_month
    ]
    if not parts:
        return pl.DataFrame(schema={"user_id": pl.Int64(), **{f"_{name}": pl.Int64() for name in names}})
    return pl.concat(parts).group_by("user_id").agg(pl.col(name).sum().alias(f"_{name}") for name in names)


def reading_months(start: date, until: date) -> list[date]:
    """The months of a reading, in order. Raises `DataError` if there are none."""
    months = [month_at(number) for number in range(number_of(start), number_of(until))]
    if not months:
        raise DataError(
            f"nothing to read yet: the experiment starts at {start} and the last month that is over "
            f"ends at {until}; "
            "ingest the months after its start first"
        )
    return months


def _number_at(micros: pl.Expr) -> pl.Expr:
    return month_number(micros.cast(pl.Datetime("us")))
