"""Rank correlation, groups, nulls and drift against pandas and SciPy."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr

from pozytywka_spark.features.page.correlation import Correlation, drift, redundant_groups, spearman

NAMES = ["plays", "twice", "noise", "gaps", "rare", "constant"]


def table(rows: int, seed: int) -> pl.DataFrame:
    """Ties, gaps, a column that is 0 but for one row, one that never varies."""
    drawn = np.random.default_rng(seed)
    plays = drawn.integers(0, 12, rows).astype(float)
    gaps = np.where(drawn.random(rows) < 0.2, np.nan, plays + drawn.normal(size=rows))
    return pl.DataFrame(
        {
            "month": [date(2023, 1 + i * 3 // rows, 1) for i in range(rows)],
            "plays": plays,
            "twice": plays * 2 + 1,
            "noise": drawn.normal(size=rows),
            "gaps": pl.Series(gaps).fill_nan(None),
            "rare": (np.arange(rows) == rows // 2).astype(float),
            "constant": 0.1,
        }
    )


@pytest.mark.parametrize(("rows", "seed"), [(2, 1), (7, 2), (300, 3), (50_000, 4)])
def test_spearman_equals_pandas(rows: int, seed: int) -> None:
    made = table(rows, seed)
    # ranks are those among all known values of a column, then Pearson's coefficient of the common rows
    frame = made.select(NAMES).to_pandas()
    expected = frame.rank().corr(method="pearson").to_numpy()
    found = spearman(made, NAMES)
    assert found.names == tuple(NAMES)
    np.testing.assert_allclose(found.values[:5, :5], expected[:5, :5], rtol=1e-12, atol=1e-12)
    assert np.isnan(found.values[5]).all()
    assert np.isnan(found.values[:, 5]).all()


@pytest.mark.parametrize("seed", range(5))
def test_spearman_of_known_values_is_scipys(seed: int) -> None:
    made, complete = table(400, seed), ["plays", "noise", "rare"]
    expected = spearmanr(made.select(complete).to_numpy()).statistic
    np.testing.assert_allclose(spearman(made, complete).values, expected, rtol=1e-12, atol=1e-12)


def test_a_column_that_varies_only_where_the_other_is_unknown_has_no_coefficient() -> None:
    made = pl.DataFrame({"a": [1.0, 1.0, 1.0, 5.0, 7.0], "b": [1.0, 2.0, 3.0, None, float("nan")]})
    found = spearman(made, ["a", "b"]).values
    assert np.isnan(found[0, 1])
    assert found[0, 0] == found[1, 1] == pytest.approx(1)


def test_rounding_is_no_spread() -> None:
    """Of rows in which one never varies: the square of its sum, over 2^53, comes out too low."""
    place = np.arange(30_011)
    common = place < 10_005
    made = pl.DataFrame({"a": (~common).astype(float), "b": np.where(common, place, np.nan)})
    assert np.isnan(spearman(made, ["a", "b"]).values[0, 1])


def test_a_column_without_a_known_value_has_no_coefficient() -> None:
    unknown = pl.DataFrame({"a": [1.0, 2.0], "b": pl.Series([None, None], dtype=pl.Float64)})
    assert np.isnan(spearman(unknown, ["a", "b"]).values[1]).all()


def test_redundant_groups_follow_chains() -> None:
    values = np.array([[1, 0.99, 0.5, 0], [0.99, 1, -0.985, 0], [0.5, -0.985, 1, 0], [0, 0, 0, 1]])
    groups = redundant_groups(Correlation(("a", "b", "c", "d"), values), 0.98)
    assert groups == [["a", "b", "c"]]
    assert redundant_groups(Correlation(("a", "b", "c", "d"), values), 0.995) == []


@pytest.mark.parametrize("seed", range(3))
def test_drift_and_nulls_equal_pandas(seed: int) -> None:
    lognormal = np.random.default_rng(1).lognormal(0, 3, 20)
    made = table(300, seed).with_columns(
        # no value in the first month, and none at all
        late=pl.when(pl.col("month") > date(2023, 1, 1)).then(pl.col("noise")),
        never=pl.lit(None, pl.Float64),
        # deviations of equal numbers that are rounded come out above 0
        **{f"constant {n}": np.full(300, value) for n, value in enumerate(lognormal)},
    )
    names = [*NAMES, "late", "never", *(f"constant {n}" for n in range(20))]
    found = {row["feature"]: row for row in drift(made, names)}
    assert list(found) == names
    frame = made.to_pandas()
    for name in names:
        values = frame[name].astype(float)
        monthly = values.groupby(frame["month"])
        means = monthly.mean()
        varies = not name.startswith(("constant", "never"))
        moved = (means.max() - means.min()) / values.std() if varies else None
        assert found[name] == {
            "feature": name,
            "nulls": pytest.approx(values.isna().mean(), rel=1e-12),
            "nulls in worst month": pytest.approx(monthly.apply(lambda v: v.isna().mean()).max(), rel=1e-12),
            "drift": moved if moved is None else pytest.approx(moved, rel=1e-12),
        }
