"""Spearman, groups, drift and histograms against pandas on rows with ties, nulls and a constant."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from pozytywka_spark.config import load_settings
from pozytywka_spark.features.correlation import Correlation, drift, redundant_groups, spearman
from pozytywka_spark.features.report import render_report, split_of

NAMES = ["plays", "twice", "noise", "gaps", "constant"]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    plays = rng.integers(0, 12, 300).astype(float)
    return pd.DataFrame(
        {
            "user_id": np.arange(300) % 100,
            "month": [date(2023, 1 + i // 100, 1) for i in range(300)],
            "plays": plays,
            "twice": plays * 2 + 1,
            "noise": rng.normal(size=300),
            "gaps": np.where(rng.random(300) < 0.2, np.nan, plays + rng.normal(size=300)),
            "constant": 1.0,
        }
    )


@pytest.fixture(scope="module")
def rows(spark: SparkSession, table: pd.DataFrame) -> DataFrame:
    ddl = "user_id long, month date, " + ", ".join(f"{name} double" for name in NAMES)
    return spark.createDataFrame(table.astype(object).where(table.notna(), None), ddl)


def test_spearman_equals_pandas(rows: DataFrame, table: pd.DataFrame) -> None:
    # ranks are those among all known values of a column, then Pearson's coefficient of the common rows
    expected = table[NAMES].rank().corr(method="pearson").to_numpy()
    found = spearman(rows.repartition(3), NAMES).values
    np.testing.assert_allclose(found[:4, :4], expected[:4, :4], rtol=1e-9)
    assert np.isnan(found[4]).all()
    complete = ["plays", "twice", "noise"]
    np.testing.assert_allclose(found[:3, :3], table[complete].corr(method="spearman"), rtol=1e-9)


def test_redundant_groups_follow_chains() -> None:
    values = np.array([[1, 0.99, 0.5, 0], [0.99, 1, -0.985, 0], [0.5, -0.985, 1, 0], [0, 0, 0, 1]])
    groups = redundant_groups(Correlation(("a", "b", "c", "d"), values), 0.98)
    assert groups == [["a", "b", "c"]]
    assert redundant_groups(Correlation(("a", "b", "c", "d"), values), 0.995) == []


def test_drift_and_nulls_equal_pandas(rows: DataFrame, table: pd.DataFrame) -> None:
    found = {row["feature"]: row for row in drift(rows, NAMES)}
    monthly = table.groupby("month")["gaps"]
    assert found["gaps"]["nulls"] == pytest.approx(table["gaps"].isna().mean())
    assert found["gaps"]["nulls in worst month"] == pytest.approx(
        monthly.apply(lambda s: s.isna().mean()).max()
    )
    means = monthly.mean()
    assert found["gaps"]["drift"] == pytest.approx((means.max() - means.min()) / table["gaps"].std())
    assert found["constant"]["drift"] is None


def test_the_split_counts_back_from_the_last_mature_month() -> None:
    counts = [{"month": date(2023, month, 1), "rows": 5, "mature": 5} for month in range(1, 9)]
    counts.append({"month": date(2023, 9, 1), "rows": 5, "mature": 0})
    sides = split_of(counts, load_settings("local", ["label.horizon_days=30"]))
    assert list(sides.values()) == [
        "train",
        "train",
        "train",
        "train",
        "validation",
        "validation",
        "test",
        "test",
    ]
    sides = split_of(counts, load_settings("local", ["label.horizon_days=60"]))
    assert list(sides.values()) == [
        "train",
        "train",
        "purged",
        "validation",
        "validation",
        "purged",
        "test",
        "test",
    ]


def test_the_report_is_one_page_with_every_part(
    rows: DataFrame, table: pd.DataFrame, spark: SparkSession
) -> None:
    labels = table[["user_id", "month"]].assign(
        buys_within_30_days=[None if m.month == 3 else i % 2 for i, m in enumerate(table.month)],
        buys_ever=[i % 2 for i in range(300)],
    )
    labels = spark.createDataFrame(
        labels.astype(object).where(labels.notna(), None),
        "user_id long, month date, buys_within_30_days int, buys_ever int",
    )
    counts = [
        {"month": date(2023, m, 1), "rows": 100, "mature": 100 * (m < 3), "positives": 50} for m in (1, 2, 3)
    ]
    page = render_report(rows, labels, load_settings("local"), NAMES, counts, [])
    for title in ("Labels", "Split", "Guards", "Correlation", "Nulls and drift", "By class"):
        assert f"<h2>{title}</h2>" in page
    assert "plays, twice" in page
    assert page.count("Histogram of") == 4  # a constant has none
