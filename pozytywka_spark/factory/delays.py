"""When a decision is told: as late as people were, so that nobody can tell a model by the clock.

The delay is one of past verdicts': of the same group and outcome, of a case opened in the same hour of the
week. Where fewer than `FEWEST` are there, of the group and outcome at any hour; then of the outcome at that
hour in any group; then of the outcome; then any. Which one is picked follows from the case's identity.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pozytywka_spark.hashing.dice import mix

FEWEST = 10
HOUR_MICROS, WEEK_HOURS = 3_600_000_000, 168
_POOLS: tuple[tuple[str, ...], ...] = (
    ("group", "outcome", "hour"),
    ("group", "outcome"),
    ("outcome", "hour"),
    ("outcome",),
    (),
)


def hour_of_week(micros: pl.Expr) -> pl.Expr:
    """Hours since the week began that held 1970-01-01 (a Thursday), modulo a week."""
    return micros // HOUR_MICROS % WEEK_HOURS


def case_dice(case_ids: pl.Series, salt: str) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """A stated number of each case: splitmix64 of a text's hash, apart for each salt."""
    from hashlib import blake2b

    numbers = [
        int.from_bytes(blake2b(f"{salt}|{case}".encode(), digest_size=8).digest(), "big") for case in case_ids
    ]
    return mix(np.array(numbers, dtype=np.uint64))


def with_delay(decided: pl.DataFrame, past: pl.DataFrame, seed: str) -> pl.Series:
    """`delay` in microseconds of each row of `decided` (case_id, group, outcome, opened_at in microseconds).

    `past` (group, outcome, opened_at, delay): verdicts of people. Null where there is no past at all.
    """
    hours = hour_of_week(pl.col("opened_at")).alias("hour")
    past, decided = past.with_columns(hours), decided.with_columns(hours)
    thrown = case_dice(decided.get_column("case_id"), f"delay-{seed}")
    delay = np.full(decided.height, -1, dtype=np.int64)
    for keys in _POOLS:
        pools = (
            {
                key: np.sort(rows.get_column("delay").to_numpy())
                for key, rows in past.partition_by(list(keys), as_dict=True).items()
            }
            if keys
            else {(): np.sort(past.get_column("delay").to_numpy())}
        )
        wanted = decided.select(keys).rows() if keys else [()] * decided.height
        for place, key in enumerate(wanted):
            pool = pools.get(key)
            if delay[place] < 0 and pool is not None and len(pool) >= (FEWEST if keys else 1):
                delay[place] = pool[int(thrown[place] % np.uint64(len(pool)))]
    return pl.Series("delay", delay).replace(-1, None)
