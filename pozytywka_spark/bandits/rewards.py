"""What came of decisions, and when each arm was last shown: frames in, frames out. No Spark here."""

from __future__ import annotations

import numpy as np
import polars as pl

from pozytywka_spark.months import DAY_MICROS

EARNED = pl.Schema({"user_id": pl.Int64(), "at": pl.Int64()})  # an event of the slot's type, microseconds
SHOWN = pl.Schema({"user_id": pl.Int64(), "chosen": pl.String(), "shown_at": pl.Int64()})
_SHOWN_KEYS = ["user_id", "chosen"]


def with_rewards(
    rows: pl.DataFrame, later: pl.DataFrame, earned: pl.DataFrame, window: int, end: int
) -> pl.DataFrame:
    """`rows` with `reward`: 1 if the user had an event in [decided_at, decided_at + window), cut short by
    their next decision, else 0; null where the window isn't over by the data's `end` (microseconds).

    `rows` and `later` are decisions of one slot (`later`: those after them, `user_id`, `decided_at`),
    `earned` as EARNED. That a window ends early makes nobody's decision mature earlier: who comes back soon
    would count more than others.
    """
    at = pl.col("decided_at").dt.epoch("us")
    mine = rows.select("user_id", at.alias("at"), pl.int_range(pl.len()).cast(pl.Int64).alias("row"))
    others = later.select("user_id", at.alias("at"), pl.lit(None, pl.Int64).alias("row"))
    ordered = pl.concat([mine, others]).sort("user_id", "at", "row", nulls_last=True)
    following = pl.col("at").shift(-1).over("user_id")
    ordered = ordered.with_columns(pl.min_horizontal(pl.col("at") + window, following).alias("until"))
    asked = ordered.filter(pl.col("row").is_not_null())
    events = earned.select("user_id", pl.col("at").alias("event_at")).sort("user_id", "event_at")
    users, times = asked.get_column("user_id").to_numpy(), asked.get_column("at").to_numpy()
    first = _first_from(users, times, events)
    earned_in_time = first < asked.get_column("until").to_numpy()
    reward = np.empty(rows.height)
    reward[asked.get_column("row").to_numpy()] = earned_in_time
    is_mature = at + window <= end
    return rows.with_columns(pl.Series("reward", reward)).with_columns(
        pl.when(is_mature).then("reward").alias("reward")
    )


def _first_from(users: np.ndarray, times: np.ndarray, events: pl.DataFrame) -> np.ndarray:
    """Of each user and time the user's first event at or after it; beyond all times if there is none."""
    none = np.iinfo(np.int64).max
    if not events.height:
        return np.full(len(users), none)
    theirs = events.get_column("user_id").to_numpy()
    at = events.get_column("event_at").to_numpy()
    # both sorted by user and time: one merge of pairs, by a number for each user's place
    everyone = np.unique(theirs)
    place = np.searchsorted(everyone, users)
    there = (place < len(everyone)) & (everyone[np.minimum(place, len(everyone) - 1)] == users)
    begin = np.searchsorted(theirs, users, side="left")
    stop = np.searchsorted(theirs, users, side="right")
    origin = min(int(at.min()), int(times.min()))
    span = max(int(at.max()), int(times.max())) - origin + 1
    if len(everyone) * span < 2**62:
        keys = np.searchsorted(everyone, theirs) * span + (at - origin)
        found = np.searchsorted(keys, place * span + (times - origin), side="left")
    else:
        found = np.array(
            [lo + np.searchsorted(at[lo:hi], t) for lo, hi, t in zip(begin, stop, times, strict=True)]
        )
    is_theirs = there & (found < stop) & (found >= begin)
    return np.where(is_theirs, at[np.minimum(found, len(at) - 1)], none)


def last_shown(shown: pl.DataFrame) -> pl.DataFrame:
    """A row a user and arm: when it was shown to them last. Of SHOWN in any order."""
    return shown.group_by(_SHOWN_KEYS).agg(pl.col("shown_at").max())


def with_days_since(rows: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """`rows` (one slot's, with `eligible`) with `days_since` where it was null as a whole: fractional days
    since the user was last shown the arm, by `shown` (SHOWN), before `decided_at`; null inside: never.
    """
    is_open = pl.col("days_since").is_null() & pl.col("eligible").is_not_null()
    numbered = rows.with_columns(pl.int_range(pl.len()).alias("row"))
    asked = (
        numbered.filter(is_open)
        .select(
            "row",
            "user_id",
            pl.col("decided_at").dt.epoch("us").alias("at"),
            pl.col("eligible").alias("chosen"),
        )
        .with_columns(pl.int_ranges(pl.col("chosen").list.len()).alias("place"))
        .explode("chosen", "place")
        .filter(pl.col("chosen").is_not_null())
        .sort("at")
    )
    found = asked.join_asof(
        shown.sort("shown_at").with_columns(pl.col("shown_at").alias("at")),
        on="at",
        by=_SHOWN_KEYS,
        strategy="backward",
        allow_exact_matches=False,
        check_sortedness=False,
    )
    # divided by numpy: Polars multiplies by the reciprocal, which isn't the same to the last bit
    gap = found.select((pl.col("at") - pl.col("shown_at")).cast(pl.Float64)).to_series().to_numpy()
    days = pl.Series("worked_out", gap / DAY_MICROS).fill_nan(None)
    ordered = found.with_columns(days).sort("row", "place")
    lists = ordered.group_by("row", maintain_order=True).agg("worked_out")
    joined = numbered.join(lists, on="row", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("days_since", "worked_out").alias("days_since")).drop(
        "row", "worked_out"
    )


def shown_of(rows: pl.DataFrame) -> pl.DataFrame:
    """What decisions showed whom when, a row each: `user_id`, `chosen`, `shown_at`."""
    return rows.select("user_id", "chosen", pl.col("decided_at").dt.epoch("us").alias("shown_at"))
