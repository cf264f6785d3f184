"""A log made ready: mature decisions, with eligible arms and days since each was shown spelt out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pozytywka_spark.bandits.offpolicy.blocks import spelt_out
from pozytywka_spark.bandits.policy import Policy
from pozytywka_spark.errors import DataError

if TYPE_CHECKING:
    from pozytywka_spark.config.bandits import Bandits

_DAY = 86_400e6  # microseconds
_SHOWN = ("user_id", "chosen", "decided_at")


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
    rows = spelt_out(with_days_since(rows, rows.select(_SHOWN)), [])
    rows = rows.filter(pl.col("reward").is_not_null())
    if not rows.height:
        raise DataError("decisions: none is mature; expected rewards: wait until a window has passed")
    if not rows.get_column("probability").is_between(0, 1, closed="right").fill_null(value=False).all():
        raise DataError(
            "decisions: a probability isn't in (0, 1]; expected that of the chosen arm in each row"
        )
    return rows


def with_days_since(decisions: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """The rows; where `days_since` is null as a whole, days since the user was last shown each eligible arm.

    `shown`: all decisions known of the users, `user_id`, `chosen`, `decided_at`; an arm that was shown at the
    same moment or later doesn't count.
    """
    lacking = decisions.get_column("days_since").is_null()
    if not lacking.any():
        return decisions
    numbered = decisions.with_row_index("row")
    asked = numbered.filter(lacking).select("row", "user_id", "decided_at", arm="eligible").explode("arm")
    flat = asked.with_row_index("place").sort("decided_at")
    before = shown.select("user_id", "decided_at", arm="chosen", at="decided_at").sort("decided_at")
    joined = flat.join_asof(
        before,
        on="decided_at",
        by=["user_id", "arm"],
        strategy="backward",
        allow_exact_matches=False,
        check_sortedness=False,
    )
    days = (pl.col("decided_at") - pl.col("at")).dt.total_microseconds() / _DAY
    found = joined.sort("place").group_by("row", maintain_order=True).agg(found=days)
    return (
        numbered.join(found, on="row", how="left", maintain_order="left")
        .with_columns(pl.col("days_since").fill_null(pl.col("found")))
        .drop("row", "found")
    )


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
