"""A log made ready: mature decisions, with eligible arms and days since each was shown spelt out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pozytywka_spark.bandits.days_since import with_days_since
from pozytywka_spark.bandits.offpolicy.blocks import spelt_out
from pozytywka_spark.bandits.policy import Policy
from pozytywka_spark.errors import DataError

if TYPE_CHECKING:
    from pozytywka_spark.config.bandits import Bandits


def prepared(decisions: pl.DataFrame, policy: Policy, bandits: Bandits) -> pl.DataFrame:
    """The rows of mature decisions.

    Raises `DataError` if there are none, a probability isn't one, or they are another slot's than the policy.
    """
    _check_slot(decisions, policy)
    rows = decisions.with_columns(
        pl.col("eligible").cast(pl.List(pl.String)),
        pl.col("days_since").cast(pl.List(pl.Float64)),
        pl.col("group", "chosen").cast(pl.String),
        pl.col("reward", "probability").cast(pl.Float64),
    )
    if rows.get_column("eligible").null_count():
        arms = pl.lit(_all_arms(rows, policy, bandits), pl.List(pl.String))
        rows = rows.with_columns(pl.col("eligible").fill_null(arms))
    if rows.get_column("days_since").null_count():
        rows = with_days_since(rows)
    rows = spelt_out(rows, [])
    rows = rows.filter(pl.col("reward").is_not_null())
    if not rows.height:
        raise DataError("decisions: none is mature; expected rewards: wait until a window has passed")
    if not rows.get_column("probability").is_between(0, 1, closed="right").fill_null(value=False).all():
        raise DataError(
            "decisions: a probability isn't in (0, 1]; expected that of the chosen arm in each row"
        )
    return rows


def _all_arms(rows: pl.DataFrame, policy: Policy, bandits: Bandits) -> list[str]:
    """The arms of a slot: those of the settings, else all that the log or the policy names."""
    slots = rows.get_column("slot").drop_nulls().to_list()[:1] if "slot" in rows.columns else []
    name = slots[0] if slots else policy.slot
    logged = set(rows.get_column("chosen").drop_nulls())
    logged |= set(rows.get_column("eligible").drop_nulls().explode().drop_nulls())
    declared = set(bandits.slots[name].arms) if name in bandits.slots else set()
    return sorted(logged | (declared or set(policy.arms)))


def _check_slot(decisions: pl.DataFrame, policy: Policy) -> None:
    if not policy.slot or "slot" not in decisions.columns:
        return
    slots = decisions.get_column("slot").drop_nulls().unique().sort().to_list()
    others = [slot for slot in slots if slot != policy.slot]
    if others:
        raise DataError(
            f"decisions of slot {others[0]}, a policy of slot {policy.slot}: expected those of one slot"
        )
