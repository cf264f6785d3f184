"""Texts of a made world as the silver table of feedback, beside what is true of them, without any ingestion.

What was planted (names, addresses, numbers) stands as a word in brackets, as masking leaves it.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from pozytywka_spark.config import Synthetic
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import FEEDBACK
from pozytywka_spark.synthetic.life import plan_of
from pozytywka_spark.synthetic.texts.messages import Message, messages_of

TRUTH = ("language", "queue", "topic", "second", "vague", "sentiment", "spam", "part", "score")


def chunks(world: Synthetic, buckets: int) -> Iterator[pl.DataFrame]:
    """Rows of `feedback`, a chunk of users at a time, with `true_…` beside (see `messages_of`)."""
    plan = plan_of(world)
    for chunk in range(plan.chunks):
        rows = pl.DataFrame([_row(one) for one in messages_of(plan, chunk)], infer_schema_length=None)
        at = pl.col("timestamp").str.to_datetime(time_unit="us", time_zone="UTC")
        yield rows.with_columns(
            at.alias("feedback_time"),
            at.dt.truncate("1mo").dt.date().alias("feedback_month"),
            user_bucket(pl.col("user_id"), buckets).alias("user_bucket"),
        )


def append(lake: Lake, rows: pl.DataFrame) -> None:
    """Rows of `chunks` to the lake's table."""
    names = [field.name for field in FEEDBACK.schema]
    lake.append(
        rows.select(names).with_columns(pl.col("score", "masked").cast(pl.Int32)).to_arrow(), FEEDBACK
    )


def _row(message: Message) -> dict[str, object]:
    text = str(message.row["text"])
    planted = message.truth["planted"]
    assert isinstance(planted, list)
    for each in planted:
        text = text.replace(each["text"], f"[{each['kind']}]")
    truth = {**message.truth, "score": message.row["score"]}
    return {
        **message.row,
        "text": text,
        "masked": len(planted),
        **{f"true_{name}": truth[name] for name in TRUTH},
    }
