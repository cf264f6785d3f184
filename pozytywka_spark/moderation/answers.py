"""Answers as they come in -> taken, or aside with a reason: frames in, frames out.

A reviewer's first answer to a case counts; another of theirs is refused. What is there already, word for
word, is a duplicate. Answers to unknown cases wait aside and are tried again.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pozytywka_spark.moderation.reading import TROUBLE
from pozytywka_spark.moderation.words import CHARGEBACK, PERSON, RESERVED, VERDICT_WORDS

UNKNOWN_CASE = "unknown case"
SECOND_ANSWER = "second answer of the reviewer"
TOO_EARLY = "decided before the case's cut-off"
_NO_CASE, _NO_REVIEWER = "no case_id", "no reviewer"
_RESERVED_NAME = f"no reviewer is called {' or '.join(RESERVED)}"
_UNKNOWN_WORD = f"verdict is none of {', '.join(VERDICT_WORDS)}"
_NO_TIME = "decided_at is no time"

COLUMNS = ("case_id", "reviewer", "verdict", "decided_at")
_KEYS = [*COLUMNS]
_ASIDE = [*COLUMNS, "source", "reason"]


@dataclass(frozen=True)
class Judged:
    """`taken` and `aside` (all of it, what was there too); of the rows that came: `duplicates`, `refused`.

    `refused` are the new rows aside; `tried` rows had been waiting, of which `found` are no longer.
    """

    taken: pl.DataFrame
    aside: pl.DataFrame
    refused: pl.DataFrame
    taken_new: int
    duplicates: int
    tried: int
    found: int


def judge(rows: pl.DataFrame, cases: pl.DataFrame, verdicts: pl.DataFrame, aside: pl.DataFrame) -> Judged:
    """What becomes of `rows` (COLUMNS, `decided_at` in microseconds, TROUBLE), and of those that wait.

    `cases`: `case_id`, `cut_off`. `verdicts`: COLUMNS as they were taken before. `aside`: COLUMNS, `source`,
    `reason`. All times are microseconds.
    """
    is_waiting = pl.col("reason") == UNKNOWN_CASE
    waiting = aside.filter(is_waiting)
    settled = aside.filter(~is_waiting)
    came = pl.concat(
        [
            waiting.select(*COLUMNS, pl.lit(None, pl.String).alias(TROUBLE), waited=pl.lit(True)),
            rows.select(*COLUMNS, TROUBLE, waited=pl.lit(False)),
        ]
    ).with_columns(_static_reason(), order=pl.int_range(pl.len()))
    # the same words twice, in the file or before
    fresh = came.unique([*_KEYS, "reason"], keep="first", maintain_order=True)
    fresh = fresh.join(verdicts.select(_KEYS), on=_KEYS, how="anti", nulls_equal=True)
    told = fresh.join(cases.unique("case_id"), on="case_id", how="left", maintain_order="left").sort(
        "decided_at", "order"
    )
    others = verdicts.select("case_id", "reviewer", answered=pl.lit(True)).unique()
    told = told.join(others, on=["case_id", "reviewer"], how="left", maintain_order="left")
    told = told.with_columns(
        reason=pl.coalesce(
            "reason",
            pl.when(pl.col("cut_off").is_null()).then(pl.lit(UNKNOWN_CASE)),
            pl.when(pl.col("decided_at") < pl.col("cut_off")).then(pl.lit(TOO_EARLY)),
            pl.when(pl.col("answered")).then(pl.lit(SECOND_ANSWER)),
        )
    )
    sound = pl.col("reason").is_null()
    again = pl.int_range(pl.len()).over("case_id", "reviewer", sound) > 0
    told = told.with_columns(
        pl.when(sound & again).then(pl.lit(SECOND_ANSWER)).otherwise("reason").alias("reason"), _source()
    )
    taken = told.filter(pl.col("reason").is_null())
    left = told.filter(pl.col("reason").is_not_null()).join(
        settled.select(*_KEYS, "reason"), on=[*_KEYS, "reason"], how="anti", nulls_equal=True
    )
    refused = left.filter(~pl.col("waited"))
    new_taken = taken.filter(~pl.col("waited")).height
    still = left.filter(pl.col("waited") & (pl.col("reason") == UNKNOWN_CASE)).height
    return Judged(
        taken.select(*COLUMNS, "source").sort(*COLUMNS),
        pl.concat([settled.select(_ASIDE), left.select(_ASIDE)]).sort(_ASIDE),
        refused.select(_ASIDE),
        new_taken,
        rows.height - new_taken - refused.height,
        waiting.height,
        waiting.height - still,
    )


def _static_reason() -> pl.Expr:
    """What is wrong with a row whatever the tables hold."""
    tests = [
        (pl.col("case_id").is_null(), _NO_CASE),
        (pl.col("reviewer").is_null(), _NO_REVIEWER),
        (pl.col("reviewer").is_in(RESERVED), _RESERVED_NAME),
        (~pl.col("verdict").is_in(VERDICT_WORDS).fill_null(value=False), _UNKNOWN_WORD),
        (pl.col("decided_at").is_null(), _NO_TIME),
    ]
    reasons = [pl.when(test).then(pl.lit(reason)) for test, reason in tests]
    return pl.coalesce(TROUBLE, *reasons).alias("reason")


def _source() -> pl.Expr:
    is_chargeback = pl.col("reviewer") == CHARGEBACK
    return pl.when(is_chargeback).then(pl.lit(CHARGEBACK)).otherwise(pl.lit(PERSON)).alias("source")
