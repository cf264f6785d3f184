"""What is wrong with a row of a log, if anything: frames in, frames out. No Spark here."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pozytywka_spark.bandits.log_lines import SAID, TROUBLE
from pozytywka_spark.bandits.slots import SlotPlan

REASON = "reason"
NO_ID, NO_USER, NO_TIME = "no decision_id", "no user", "no time"
UNKNOWN_SLOT, UNKNOWN_ARM = "unknown slot", "an arm that the slot doesn't have"
NOT_ELIGIBLE, TWICE_ELIGIBLE = "chosen is not eligible", "an arm is eligible twice"
BAD_PROBABILITY = "probability is not in (0, 1]"
OTHER_LENGTH = "probabilities are not as many as the eligible"
BAD_SUM = "probabilities do not add up to 1"
OTHER_PROBABILITY = "probability is not that of the chosen"
DAYS_LENGTH = "days_since are not as many as the eligible"
NEGATIVE_DAYS = "negative days"
UNKNOWN_STREAM = "stream is neither explore nor policy"
BAD_REWARD = "reward is no number"
TWO_CONTENTS = "one id with two contents"
STREAMS = ("policy", "explore")
_WITHIN = 1e-6


def judged(rows: pl.DataFrame, slots: Mapping[str, SlotPlan]) -> pl.DataFrame:
    """The rows (columns of `log_lines.SAID`, TROUBLE) with REASON, null where all is well.

    A row without a stream is the policy's. The arms of a row without `eligible` are the slot's, as far as
    they are declared.
    """
    arms = pl.DataFrame(
        {"slot": list(slots), "_arms": [list(each.arms) or None for each in slots.values()]},
        schema={"slot": pl.String, "_arms": pl.List(pl.String)},
    )
    rows = rows.with_columns(pl.col("stream").fill_null(STREAMS[0]))
    joined = rows.join(arms, on="slot", how="left", maintain_order="left").with_columns(
        pl.coalesce("eligible", "_arms").alias("_all")
    )
    everyone, probabilities, days = pl.col("_all"), pl.col("probabilities"), pl.col("days_since")
    size = everyone.list.len()
    place = _place_of_chosen()
    of_chosen = probabilities.list.get(place, null_on_oob=True)
    tests: list[tuple[pl.Expr, str]] = [
        (pl.col("decision_id").is_null() | (pl.col("decision_id") == ""), NO_ID),
        (pl.col("user_id").is_null() | (pl.col("user_id") < 0), NO_USER),
        (pl.col("decided_at").is_null(), NO_TIME),
        (~pl.col("slot").is_in(list(slots)).fill_null(value=False), UNKNOWN_SLOT),
        (pl.col("chosen").is_null(), NOT_ELIGIBLE),
        (everyone.is_not_null() & ~pl.col("chosen").is_in(everyone), NOT_ELIGIBLE),
        (
            pl.col("_arms").is_not_null()
            & (
                pl.col("eligible").list.set_difference("_arms").list.len().fill_null(0).gt(0)
                | ~pl.col("chosen").is_in(pl.col("_arms"))
            ),
            UNKNOWN_ARM,
        ),
        (everyone.list.n_unique() != size, TWICE_ELIGIBLE),
        (~pl.col("probability").is_between(0, 1, closed="right").fill_null(value=False), BAD_PROBABILITY),
        (
            probabilities.is_not_null() & (probabilities.list.len() != size).fill_null(value=True),
            OTHER_LENGTH,
        ),
        (_has(probabilities, ~pl.element().is_between(0, 1).fill_null(value=False)), BAD_PROBABILITY),
        (((probabilities.list.sum() - 1).abs() > _WITHIN), BAD_SUM),
        (((of_chosen - pl.col("probability")).abs() > _WITHIN), OTHER_PROBABILITY),
        (days.is_not_null() & (days.list.len() != size).fill_null(value=True), DAYS_LENGTH),
        (_has(days, (pl.element() < 0) | pl.element().is_nan()), NEGATIVE_DAYS),
        (~pl.col("stream").is_in(STREAMS), UNKNOWN_STREAM),
        (~pl.col("reward").is_finite(), BAD_REWARD),
    ]
    reasons = [pl.when(test).then(pl.lit(reason)) for test, reason in tests]
    return joined.with_columns(pl.coalesce(TROUBLE, *reasons).alias(REASON)).drop("_arms", "_all")


def content_of() -> pl.Expr:
    """All that a decision says as one text, the same for the same decision within a run."""
    return pl.concat_str([_spelt(name, kind) for name, kind in SAID.items()], separator="\x1f").alias(
        "content"
    )


def _place_of_chosen() -> pl.Expr:
    """Where the chosen arm stands among the eligible."""
    return pl.struct("_all", "chosen").map_batches(_places, return_dtype=pl.Int64)


def _places(both: pl.Series) -> pl.Series:
    rows = pl.DataFrame({"all": both.struct.field("_all"), "chosen": both.struct.field("chosen")})
    exploded = (
        rows.with_row_index("row")
        .filter(pl.col("all").list.len() > 0)
        .with_columns(pl.int_ranges(0, pl.col("all").list.len()).alias("at"))
        .explode("all", "at")
        .filter(pl.col("all") == pl.col("chosen"))
        .unique("row", keep="first")
    )
    return rows.with_row_index("row").join(exploded, on="row", how="left", maintain_order="left")["at"]


def _has(lists: pl.Expr, test: pl.Expr) -> pl.Expr:
    """Whether any entry of the list is so."""
    return lists.list.eval(test).list.any()


def _spelt(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(kind, pl.List):
        texts = column.list.eval(pl.element().cast(pl.String).fill_null("-"))
        return pl.when(column.is_null()).then(pl.lit("-")).otherwise(pl.lit("=") + texts.list.join("\x1e"))
    if name == "decided_at":
        return column.dt.epoch("us").cast(pl.String).fill_null("-")
    return pl.lit("=") + column.cast(pl.String).fill_null("\x1d")
