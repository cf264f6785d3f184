"""Chargebacks as verdicts: the card's owner says that a purchase wasn't theirs."""

from __future__ import annotations

import polars as pl

REVIEWER = "chargeback"


def verdicts_of_chargebacks(chargebacks: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """Verdicts for the cases of one account on the UTC day on which it made the purchase.

    `chargebacks`: user_id, bought_at, charged_back_at (a purchase each, ISO text or times). `cases`: case_id,
    accounts, day. Returns case_id, reviewer, verdict, decided_at (when it was charged back), source.
    A case of several accounts is about more than the purchase, and gets none.
    """
    purchases = chargebacks.select(
        "user_id",
        pl.col("bought_at").cast(pl.String).str.slice(0, 10).str.to_date().alias("day"),
        pl.col("charged_back_at").alias("decided_at"),
    )
    if purchases.schema["decided_at"] == pl.String:
        purchases = purchases.with_columns(
            pl.col("decided_at").str.to_datetime(time_unit="us", time_zone="UTC")
        )
    days = cases.filter(pl.col("accounts").list.len() == 1).select(
        "case_id", pl.col("accounts").list.first().alias("user_id"), pl.col("day").cast(pl.Date)
    )
    return (
        days.join(purchases, on=["user_id", "day"])
        .select(
            "case_id",
            pl.lit(REVIEWER).alias("reviewer"),
            pl.lit("bad").alias("verdict"),
            "decided_at",
            pl.lit("chargeback").alias("source"),
        )
        .sort("case_id")
    )
