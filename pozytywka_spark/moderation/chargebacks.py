"""Chargebacks as answers: a card's owner says that a purchase wasn't theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.moderation.reading import TROUBLE, times
from pozytywka_spark.moderation.rows import Files, Source
from pozytywka_spark.moderation.words import BAD, CHARGEBACK
from pozytywka_spark.months import DAY_MICROS

COLUMNS = ("user_id", "bought_at", "charged_back_at")
FOUND = "came_of_chargebacks"  # kind of parcels
CAME = pl.Schema({"user_id": pl.Int64(), "day": pl.Date(), "decided_at": pl.Int64()})


def purchases(chunk: pl.DataFrame) -> pl.DataFrame:
    """CAME of rows of a file (`reading.read_rows` of COLUMNS): account, UTC day of the purchase, and when
    it was charged back in microseconds since 1970; null where the row says no such thing.
    """
    days = times(chunk.get_column("bought_at")) // DAY_MICROS
    return chunk.select(
        pl.col("user_id").cast(pl.Int64, strict=False),
        days.cast(pl.Int32).cast(pl.Date).alias("day"),
        times(chunk.get_column("charged_back_at")).alias("decided_at"),
    )


def answers_of(charged: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """Answers (case_id, reviewer, verdict, decided_at, trouble) to cases of one account on a purchase's day.

    `charged`: CAME; `cases`: case_id, accounts, day. A case of several accounts is about more than the
    purchase, and gets none.
    """
    of_one = cases.filter(pl.col("accounts").list.len() == 1).select(
        "case_id", pl.col("accounts").list.first().alias("user_id"), "day"
    )
    return (
        of_one.join(charged.unique(), on=["user_id", "day"])
        .with_columns(
            pl.lit(CHARGEBACK).alias("reviewer"),
            pl.lit(BAD).alias("verdict"),
            pl.lit(None, pl.String).alias(TROUBLE),
        )
        .select("case_id", "reviewer", "verdict", "decided_at", TROUBLE)
        .sort("case_id", "decided_at")
    )


@dataclass(frozen=True)
class FindCharged:
    """Work on files of `cases`: stages FOUND, the answers that chargebacks are to them."""

    charged: tuple[Parcel, ...]
    cases: pl.Schema

    def __call__(self, items: Sequence[Source], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        charged = files.shared(self.charged)
        for file in items:
            found = answers_of(charged, Files((file,), self.cases).read(files))
            if found.height:
                files.stage(FOUND, found)
            yield {}
