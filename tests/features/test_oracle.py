"""Every feature of every row of a delivery against an independent oracle."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.features.stage import FeaturesReport, build_features
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from tests.features import oracle
from tests.features.silver import silver_of, write_silver


@pytest.fixture(scope="module")
def built(
    spark: SparkSession, sample: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Lake, FeaturesReport, Settings]:
    home = tmp_path_factory.mktemp("oracle")
    settings = load_settings("local", [f"home={home}", "spark.master=local[2]", "spark.shuffle_partitions=2"])
    lake = open_lake(settings, spark)
    write_silver(lake, silver_of(spark, sample))
    report = build_features(spark, settings, lake)
    print(report)
    return lake, report, settings


@pytest.fixture(scope="module")
def facts(sample: Path) -> duckdb.DuckDBPyConnection:
    return oracle.connect(sample)


def by_row(df: DataFrame) -> pd.DataFrame:
    frame = df.toPandas()
    frame["month"] = pd.to_datetime(frame["month"])
    return frame.sort_values(["month", "user_id"], ignore_index=True)


def assert_equal_features(actual: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Same rows; nulls in the same places; 1e-9 relative, which is exact for counts."""
    assert actual[["user_id", "month"]].equals(
        expected[["user_id", "month"]].astype(dict(actual[["user_id", "month"]].dtypes))
    )
    for name in expected.columns.drop(["user_id", "month"]):
        wanted, found = expected[name].astype(float).to_numpy(), actual[name].to_numpy()
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=0, equal_nan=True, err_msg=name)


def test_the_analysts_features_equal_the_oracle(built, facts) -> None:
    lake, report, _ = built
    actual, expected = by_row(lake.read("features")), oracle.analysts(facts)
    assert len(expected) == report.rows == 76
    assert len(expected.columns) == 27
    assert_equal_features(actual, expected)


@pytest.mark.parametrize("built_label", ["buys_within_30_days"])
def test_labels_equal_the_oracle(built, facts, built_label: str) -> None:
    lake, report, _ = built
    actual, expected = by_row(lake.read("labels")), oracle.labels(facts, 30)
    actual = actual.rename(columns={built_label: "label"})
    for name in expected.columns:
        assert list(actual[name].astype("string")) == list(
            expected[name].astype(actual[name].dtype).astype("string")
        ), name
    months = {row["month"].month: row for row in report.labels}
    assert [month for month, row in months.items() if row["mature"]] == [1]
