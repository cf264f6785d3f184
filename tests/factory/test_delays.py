"""Delays that no clock tells from people's; splits; labelled tables that can't serve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pozytywka_spark.errors import DataError
from pozytywka_spark.factory.delays import HOUR_MICROS, with_delay
from pozytywka_spark.factory.labelled import as_rows
from pozytywka_spark.factory.split import split, witnesses
from pozytywka_spark.factory.table_pieces import pieces_of


def some(count: int, rng: np.random.Generator) -> pl.DataFrame:
    opened = rng.integers(0, 5000, count) * HOUR_MICROS
    group = rng.choice(["a", "b"], count)
    outcome = rng.integers(0, 2, count)
    scale = np.where(group == "a", 5, 40) * (1 + outcome) * (1 + (opened // HOUR_MICROS % 168) / 168)
    delay = (rng.exponential(scale) * HOUR_MICROS).astype(np.int64)
    ids = [f"{number:032x}" for number in rng.integers(0, 2**62, count)]
    return pl.DataFrame(
        {"case_id": ids, "group": group, "outcome": outcome, "opened_at": opened, "delay": delay}
    )


@pytest.mark.thorough
def test_models_take_as_long_as_people() -> None:
    rng = np.random.default_rng(2)
    people, later = some(20_000, rng), some(4_000, rng)
    drawn = later.with_columns(with_delay(later.drop("delay"), people.drop("case_id"), "x"))
    for _, rows in drawn.partition_by("group", "outcome", as_dict=True).items():
        same = people.join(rows.select("group", "outcome").unique(), on=["group", "outcome"], how="semi")
        assert stats.ks_2samp(same["delay"].to_numpy(), rows["delay"].to_numpy()).statistic <= 0.08
    both = pl.concat([later.with_columns(model=pl.lit(0)), drawn.with_columns(model=pl.lit(1))])
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    seen = both.select("opened_at", (pl.col("opened_at") // HOUR_MICROS % 168).alias("h"), "delay", "outcome")
    order = rng.permutation(both.height)
    x, y = seen.to_numpy()[order], both["model"].to_numpy()[order]
    half = len(y) // 2
    guess = (
        HistGradientBoostingClassifier(random_state=0).fit(x[:half], y[:half]).predict_proba(x[half:])[:, 1]
    )
    assert roc_auc_score(y[half:], guess) <= 0.55


@given(st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=3), min_size=2, max_size=40), st.randoms())
def test_no_account_is_on_both_sides_and_training_comes_first(accounts: list[list[int]], random) -> None:  # type: ignore[no-untyped-def]
    owner = witnesses(pl.Series(accounts, dtype=pl.List(pl.Int64)))
    for one in range(len(accounts)):
        for other in range(len(accounts)):
            if set(accounts[one]) & set(accounts[other]):
                assert owner[one] == owner[other]
    cut_off = np.array([random.randrange(10**12) for _ in accounts])
    order = np.array([random.randrange(2**62) for _ in accounts], dtype=np.uint64)
    training, tested = split(cut_off, owner, order, 0.5, 7)
    assert not np.any(training & tested)
    assert not set(owner[training]) & set(owner[tested])
    if training.any() and tested.any() and len(set(cut_off)) == len(cut_off):
        assert cut_off[training].max() < cut_off[tested].min()


ROW = {"case_id": "c", "group": "g", "user_id": 1, "cut_off": "2024-01-01", "verdict": "ok", "x": 1.0}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"verdict": "fine"}, "verdict 'fine' of case c: expected bad, ok or unsure"),
        ({"cut_off": "May"}, "cut_off 'May': expected a time"),
        ({"user_id": None}, "1 rows have no user_id"),
        ({"x": [1.0]}, "column x is List"),
    ],
)
def test_a_table_that_cannot_serve_is_one_line(row: dict[str, object], told: str) -> None:
    with pytest.raises(DataError) as raised:
        as_rows(pl.DataFrame([ROW | row]), "t.csv", "", True)
    assert told in str(raised.value)


def test_a_table_without_a_needed_column(tmp_path: Path) -> None:
    pl.DataFrame([ROW]).drop("group").write_csv(tmp_path / "t.csv")
    with pytest.raises(DataError, match="no column group; it has case_id"):
        as_rows(next(pieces_of(str(tmp_path / "t.csv"), 1 << 20)), "t.csv", "", needs_verdict=True)
