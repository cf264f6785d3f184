"""What came of decisions: frames in, frames out. No Spark here."""

from __future__ import annotations

import numpy as np
import polars as pl

EARNED = pl.Schema({"user_id": pl.Int64(), "at": pl.Int64()})  # an event of the slot's type, microseconds


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
    if not events.height or not len(users):
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
