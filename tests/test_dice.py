"""The dice are those that are stated, on every machine."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from pozytywka_spark.hashing.dice import FACES, dice, falls_below

USERS = [0, 1, -1, 2**62]
MONTHS = [date(2023, 1, 1), date(1969, 12, 1), date(2024, 2, 1), date(2023, 1, 1)]
ROWS = pl.DataFrame({"user_id": USERS, "month": MONTHS})


def mixed(x: int) -> int:
    """splitmix64 in whole numbers of any size."""
    x = (x + 0x9E3779B97F4A7C15) % FACES
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) % FACES
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) % FACES
    return x ^ x >> 31


def test_the_mix_is_splitmix64() -> None:
    """Its published first numbers for the seed 0: each is the mix of one step more."""
    steps = pl.DataFrame({"n": [0]})
    assert mixed(0) == 0xE220A8397B1DCDAF
    assert mixed(0x9E3779B97F4A7C15) == 0x6E789E6AA1B965F4
    assert dice(steps, 0, ()).to_list() == [0xE220A8397B1DCDAF]


def test_dice_are_as_stated() -> None:
    expected = [
        mixed(mixed(mixed(7) ^ user % FACES) ^ (month - date(1970, 1, 1)).days % FACES)
        for user, month in ROWS.rows()
    ]
    assert dice(ROWS, 7).to_list() == expected
    assert dice(ROWS, 7).to_list() == VECTORS
    assert dice(ROWS, -3, ("user_id",)).to_list()[2] == mixed(mixed(FACES - 3) ^ (FACES - 1))
    assert dice(ROWS.with_columns(pl.col("user_id").cast(pl.Int64)), 8).to_list() != expected
    assert dice(ROWS.clear(), 7).to_list() == []


VECTORS = [14553268779225730962, 11712436964930313000, 3295610306524714927, 2068990247475421962]


def test_a_share_of_the_dice_falls_below() -> None:
    thrown = dice(pl.DataFrame({"user_id": np.arange(100_000), "month": date(2023, 5, 1)}), 1)
    assert thrown.n_unique() == 100_000
    assert 24_400 < falls_below(thrown, 0.25).sum() < 25_600
    assert falls_below(thrown, 1.0).all()
    nothing = pl.Series([0, 1, FACES - 1], dtype=pl.UInt64)
    assert falls_below(nothing, 0.0).to_list() == [True, False, False]
    assert falls_below(nothing, 3.0).all()
