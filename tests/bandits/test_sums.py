"""Sums of rounds beside DuckDB's, and what is left out."""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl

from pozytywka_spark.bandits.seen import bucket
from pozytywka_spark.bandits.sums import BY_ROUND, CHOSEN, OTHER, VALUES, round_sums

SOFTMAX, SEASONAL = "recovering_softmax", "seasonal"
ARMS = ["a", "b", "c"]


def made(count: int, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        eligible = sorted(rng.permutation(ARMS)[: rng.integers(1, 4)].tolist())
        shares = rng.dirichlet(np.full(len(eligible), 0.4))
        place = int(rng.choice(len(eligible), p=shares))
        days = [None if rng.random() < 0.3 else float(rng.exponential(9)) for _ in eligible]
        rows.append(
            {
                "group": [None, "x", "y"][rng.integers(3)],
                "eligible": eligible,
                "chosen": eligible[place],
                "probability": float(shares[place]),
                "probabilities": None if rng.random() < 0.1 else shares.tolist(),
                "days_since": days,
                "reward": None if rng.random() < 0.1 else float(rng.random() < 0.3),
            }
        )
    return pl.DataFrame(rows)


def test_the_sums_are_those_of_duckdb() -> None:
    rows = made(3000)
    told = round_sums(rows, 0.01, SOFTMAX).sort(BY_ROUND)
    flat = rows.filter(pl.col("reward").is_not_null() & pl.col("probabilities").is_not_null())
    flat = flat.explode("eligible", "probabilities", "days_since").rename({"eligible": "arm"})
    seen = pl.Series("seen", [bucket(days) for days in flat.get_column("days_since")], dtype=pl.Int32)
    flat = flat.with_columns(seen, pl.col("group").fill_null(""))
    half = "sum(case when chosen {0} arm then {1} else 0 end)"
    columns = [
        half.format(sign, what.format(weight))
        for sign, weight in (("=", "1 / probabilities"), ("<>", "1 / (1 - probabilities)"))
        for what in ("{0}", "{0} * reward", "({0}) * ({0})")
    ]
    named = ", ".join(f"{text} as {name}" for text, name in zip(columns, CHOSEN + OTHER, strict=True))
    expected = duckdb.sql(
        f'select arm, "group", seen, count(*) as rounds, {named} from flat '
        "where probabilities >= 0.01 and 1 - probabilities >= 0.01 group by all order by all"
    ).pl()
    assert told.select(BY_ROUND).rows() == expected.select(BY_ROUND).rows()
    ours, theirs = (each.select(VALUES).to_numpy().astype(float) for each in (told, expected))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    kept = told.get_column("rounds").sum()
    assert 0 < kept < flat.height  # some rounds were left out


def test_a_log_without_probabilities_gives_no_sums_but_a_seasonal_slot() -> None:
    rows = made(200).with_columns(pl.lit(None, pl.List(pl.Float64)).alias("probabilities"))
    assert round_sums(rows, 0.01, SOFTMAX).height == 0
    told = round_sums(rows, 0.01, SEASONAL)
    mature = rows.filter(pl.col("reward").is_not_null())
    assert told.get_column("rounds").sum() == mature.height
    np.testing.assert_allclose(
        told.get_column("chosen_weight").sum(), (1 / mature.get_column("probability")).sum(), rtol=1e-12
    )


def test_nothing_is_mature() -> None:
    rows = made(50).with_columns(pl.lit(None, pl.Float64).alias("reward"))
    for kind in (SOFTMAX, SEASONAL):
        assert round_sums(rows, 0.01, kind).height == 0
