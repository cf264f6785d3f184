"""Sums over rounds (a decision and an eligible arm), by which policies learn. No Spark here.

With b the probability of the arm, its weight is w = 1/b where it was chosen and 1/(1 - b) where another was:
inverse propensity weights (Horvitz and Thompson 1952), for both halves of the difference of Yancey and
Settles (KDD 2020). Σw, Σwr, Σw² of each half; the number of rounds.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pozytywka_spark.bandits.seen import EDGES, NEVER
from pozytywka_spark.bandits.slots import SEASONAL

KEYS = ("slot", "day", "arm", "group", "seen")
CHOSEN = ("chosen_weight", "chosen_reward", "chosen_square")
OTHER = ("other_weight", "other_reward", "other_square")
VALUES = ("rounds", *CHOSEN, *OTHER)
BY_ROUND = ("arm", "group", "seen")
_SEEN = np.array([NEVER, *EDGES], dtype=np.int32)
_LONG_AGO = EDGES[-1] + 1  # days, beyond which all are in the last bucket
# the bucket of whole days, of -1 (never) first
_BUCKET_OF = np.append(0, np.searchsorted(EDGES, np.arange(_LONG_AGO + 1), side="right")).astype(np.int8)
_FEW = 10_000  # names that mostly have every one


def round_sums(rows: pl.DataFrame, min_probability: float, kind: str) -> pl.DataFrame:
    """Grain arm, group, bucket of days since it was shown: VALUES, of mature decisions (`reward` not null).

    A round whose b or 1 - b is below `min_probability` is left out. Decisions without `probabilities` give
    no sums, but for a seasonal slot's: there the chosen arm is a decision's only round, and whatever its
    probability, for among a thousand arms each is rare.
    """
    mature = rows.filter(pl.col("reward").is_not_null())
    if kind == SEASONAL:
        return chosen_sums(mature)
    known = mature.filter(pl.col("probabilities").is_not_null() & pl.col("eligible").is_not_null())
    if not known.height:
        return no_sums()
    sizes = known.get_column("eligible").list.len().to_numpy().astype(np.int64)
    arms, arm = _coded(known.get_column("eligible").explode())
    groups, group = _coded(known.get_column("group").fill_null(""))
    chosen = _codes_in(known.get_column("chosen"), arms)
    b = known.get_column("probabilities").explode().to_numpy()
    seen = _seen_of(known.get_column("days_since"), sizes)
    is_chosen = arm == np.repeat(chosen, sizes)
    reward = np.repeat(known.get_column("reward").to_numpy(), sizes)
    of_half = np.where(is_chosen, b, 1.0 - b)
    cell = (np.repeat(group.astype(np.int64), sizes) * len(arms) + arm) * len(_SEEN) + seen
    is_kept = (b >= min_probability) & (1.0 - b >= min_probability)
    if not is_kept.all():
        cell, of_half, reward, is_chosen = (each[is_kept] for each in (cell, of_half, reward, is_chosen))
    weight = 1.0 / of_half
    half = 2 * cell + is_chosen
    size = 2 * len(groups) * len(arms) * len(_SEEN)
    counts = np.bincount(half, minlength=size)
    is_paid = np.flatnonzero(reward)  # most aren't
    sums = [
        # of nothing at all numpy counts in whole numbers
        np.bincount(at, weights=each, minlength=size).astype(np.float64, copy=False)
        for at, each in (
            (half, weight),
            (half[is_paid], weight[is_paid] * reward[is_paid]),
            (half, weight * weight),
        )
    ]
    rounds = counts[0::2] + counts[1::2]
    at = np.flatnonzero(rounds)
    columns: dict[str, pl.Series] = {
        "arm": arms.gather(at // len(_SEEN) % len(arms)),
        "group": groups.gather(at // (len(_SEEN) * len(arms))),
        "seen": pl.Series(_SEEN[at % len(_SEEN)]),
        "rounds": pl.Series(rounds[at].astype(np.int64)),
    }
    for names, first in ((CHOSEN, 1), (OTHER, 0)):
        columns |= {name: pl.Series(each[first::2][at]) for name, each in zip(names, sums, strict=True)}
    return pl.DataFrame(columns)


def chosen_sums(mature: pl.DataFrame) -> pl.DataFrame:
    """The same columns of chosen arms alone, without a bound and whenever it was that they were shown."""
    weight = 1.0 / pl.col("probability")
    return (
        mature.group_by(pl.col("chosen").alias("arm"), pl.col("group").fill_null(""))
        .agg(
            pl.len().cast(pl.Int64).alias("rounds"),
            weight.sum().alias("chosen_weight"),
            (weight * pl.col("reward")).sum().alias("chosen_reward"),
            (weight * weight).sum().alias("chosen_square"),
            *(pl.lit(0.0).alias(name) for name in OTHER),
        )
        .with_columns(pl.lit(NEVER, pl.Int32).alias("seen"))
        .select(no_sums().columns)
    )


def added(sums: pl.DataFrame) -> pl.DataFrame:
    """Sums with a row a cell, in the order of their KEYS."""
    return sums.group_by(KEYS).agg(pl.col(*VALUES).sum()).sort(KEYS)


def no_sums() -> pl.DataFrame:
    """No rows, with the columns of `round_sums`."""
    values = {"rounds": pl.Int64, **dict.fromkeys((*CHOSEN, *OTHER), pl.Float64)}
    return pl.DataFrame(schema={"arm": pl.String, "group": pl.String, "seen": pl.Int32, **values})


def _coded(names: pl.Series) -> tuple[pl.Series, np.ndarray]:
    """The names in order, and which one each is."""
    distinct = names.head(_FEW).unique().sort()
    codes = _codes_in(names, distinct)
    if codes.max() == len(distinct):  # there are others
        distinct = names.unique().sort()
        codes = _codes_in(names, distinct)
    return distinct, codes


def _codes_in(names: pl.Series, distinct: pl.Series) -> np.ndarray:
    """Which of the distinct names each is; of none of them a number beyond all."""
    codes = names.cast(pl.Enum(distinct), strict=False).to_physical().cast(pl.Int64).fill_null(len(distinct))
    return codes.to_numpy()


def _seen_of(days: pl.Series, sizes: np.ndarray) -> np.ndarray:
    """The number of the bucket of each round, 0 for never; days as a whole null: never."""
    if days.null_count():
        lacking = pl.Series(sizes).rename("size")
        filled = pl.DataFrame([days.rename("days"), lacking]).select(
            pl.when(pl.col("days").is_null())
            .then(pl.lit(None, pl.Float64).repeat_by("size"))
            .otherwise("days")
        )
        days = filled.to_series()
    flat = days.explode().cast(pl.Float64).fill_null(-1.0).fill_nan(-1.0).to_numpy()
    buckets: np.ndarray = _BUCKET_OF[np.minimum(flat, _LONG_AGO).astype(np.int8) + 1]
    return buckets
