"""Guards over Spark frames: maturity and purge, as training calls them."""

from __future__ import annotations

import time

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.guards.result import GuardResult


def check_mature(rows: DataFrame) -> GuardResult:
    """Guard `maturity`: every row that is trained on or evaluated is mature.

    `rows` has user_id, month, horizon_end and mature. Raises `GuardError` naming a row.
    """
    start = time.monotonic()
    immature = rows.where(~F.coalesce("mature", F.lit(False))).orderBy("month", "user_id").first()
    if immature:
        raise GuardError(
            f"guard maturity: {_row(immature)} is immature: its horizon ends at {immature['horizon_end']}, "
            "past the data's end; leave it out of training and evaluation"
        )
    return GuardResult("maturity", "no immature row", time.monotonic() - start)


def check_purge(earlier: DataFrame, later: DataFrame, names: tuple[str, str]) -> GuardResult:
    """Guard `purge`: every horizon of `earlier` ends at or before the first cut-off of `later`.

    Both have user_id, month, cut_off and horizon_end. Raises `GuardError` naming the last row of `earlier`.
    """
    start = time.monotonic()
    first = later.agg(F.min("cut_off").alias("cut_off")).collect()[0]["cut_off"]
    last = earlier.orderBy(F.desc("horizon_end"), "user_id").first()
    if first is not None and last is not None and last["horizon_end"] > first:
        raise GuardError(
            f"guard purge: {names[0]} row {_row(last)} has a horizon up to {last['horizon_end']}, past "
            f"the first {names[1]} cut-off {first}; leave at least the months in between out"
        )
    return GuardResult("purge", f"{names[0]} before {names[1]}", time.monotonic() - start)


def _row(row: Row) -> str:
    return f"user {row['user_id']}, month {row['month']:%Y-%m}"
