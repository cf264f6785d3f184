"""Appeals as they come in -> taken, or refused with a reason: frames in, frames out."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pozytywka_spark.moderation.reading import TROUBLE
from pozytywka_spark.moderation.words import APPEAL_DAYS, APPEAL_MICROS, APPEAL_WORDS, BAD

COLUMNS = ("user_id", "case_id", "appealed_at", "reviewer", "verdict", "decided_at")
_KEYS = ["user_id", "case_id", "appealed_at"]

NO_SUCH_CASE = "no case of this account"
NO_TIME = "appealed_at or decided_at is no time"
UNKNOWN_WORD = f"verdict is none of {', '.join(APPEAL_WORDS)}"
HALF_JUDGED = "a judged appeal needs reviewer, verdict and decided_at"
BACKWARDS = "decided before it was made"
SAME_PERSON = "judged by a person who said bad"
TOO_LATE = f"not within {APPEAL_DAYS} days of the foul's release"
JUDGED_BEFORE = "was judged otherwise before"


@dataclass(frozen=True)
class Appealed:
    """`appeals`: the whole table after it; of the rows that came: `taken`, `refused` by `reason`, the rest
    were there already.
    """

    appeals: pl.DataFrame
    taken: int
    refused: pl.DataFrame
    duplicates: int


def judge_appeals(
    rows: pl.DataFrame,
    cases: pl.DataFrame,
    verdicts: pl.DataFrame,
    fouls: pl.DataFrame,
    appeals: pl.DataFrame,
) -> Appealed:
    """What becomes of `rows` (COLUMNS and TROUBLE, times in microseconds, `bad_time`: one can't be read).

    `cases`: `case_id`, `accounts`; of one that a later scan dropped the foul is enough. `verdicts`:
    `case_id`, `reviewer`, `verdict`, `decided_at`. `fouls`: `user_id`, `case_id`, `released_at`, the latest
    row of each. `appeals`: the table. An appeal against what isn't released yet is taken: it counts if the
    release turns out to be before it. One that nobody has judged is judged by a later row of the same key.
    """
    accounts = cases.select("case_id", user_id=pl.col("accounts")).explode("user_id").unique()
    accusers = (
        verdicts.filter(pl.col("verdict") == BAD)
        .select("case_id", "reviewer", accused_at=pl.col("decided_at"))
        .unique(["case_id", "reviewer"])
    )
    told = (
        rows.with_columns(order=pl.int_range(pl.len()))
        .join(accounts.with_columns(its=pl.lit(True)), on=["case_id", "user_id"], how="left")
        .join(accusers, on=["case_id", "reviewer"], how="left")
        .join(fouls.unique(["user_id", "case_id"]), on=["user_id", "case_id"], how="left")
        .with_columns(_reason())
        .sort("order")
    )
    sound = told.filter(pl.col("reason").is_null()).select(COLUMNS)
    held = pl.concat([appeals.select(COLUMNS), sound])
    # of one appeal: the first row that judges it, else that it was made
    final = (
        held.with_columns(judged=pl.col("verdict").is_not_null(), place=pl.int_range(pl.len()))
        .sort(pl.col("judged"), pl.col("place"), descending=[True, False])
        .unique(_KEYS, keep="first", maintain_order=True)
        .select(COLUMNS)
        .sort(_KEYS)
    )
    new = sound.unique(maintain_order=True).join(appeals, on=[*COLUMNS], how="anti", nulls_equal=True)
    taken = new.join(final, on=[*COLUMNS], how="semi", nulls_equal=True).height
    judgements = new.filter(pl.col("verdict").is_not_null())
    otherwise = judgements.join(final, on=[*COLUMNS], how="anti", nulls_equal=True)
    refused = pl.concat(
        [
            told.filter(pl.col("reason").is_not_null()).select("case_id", "reason"),
            otherwise.select("case_id", reason=pl.lit(JUDGED_BEFORE)),
        ]
    )
    return Appealed(final, taken, refused, rows.height - taken - refused.height)


def _reason() -> pl.Expr:
    judged = [pl.col(name).is_not_null() for name in ("reviewer", "verdict", "decided_at")]
    late = ~(pl.col("appealed_at") - pl.col("released_at")).is_between(0, APPEAL_MICROS)
    tests = [
        (pl.col("bad_time") | pl.col("appealed_at").is_null(), NO_TIME),
        (pl.col("its").is_null() & pl.col("released_at").is_null(), NO_SUCH_CASE),
        (~pl.col("verdict").is_in(APPEAL_WORDS), UNKNOWN_WORD),
        ((judged[1] | judged[2]) & ~(judged[0] & judged[1] & judged[2]), HALF_JUDGED),
        (pl.col("decided_at") < pl.col("appealed_at"), BACKWARDS),
        (judged[1] & (pl.col("accused_at") <= pl.col("decided_at")), SAME_PERSON),
        (late, TOO_LATE),
    ]
    return pl.coalesce(TROUBLE, *(pl.when(test).then(pl.lit(reason)) for test, reason in tests)).alias(
        "reason"
    )
