"""Calibration: fitted values against scikit-learn, the Column against numpy, errors made small."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from pozytywka_spark.config import Calibration
from pozytywka_spark.training.calibration import Calibrator, bins_of, fit_calibrator, fit_platt, from_plain


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Margins twice too bold: the true log-odds are half of them, minus one."""
    drawn = np.random.default_rng(5)
    margin = np.clip(np.round(drawn.normal(0, 2, 4000), 1), -4, 4)
    label = (drawn.random(4000) < 1 / (1 + np.exp(1 - margin / 2))).astype(float)
    return pd.DataFrame({"label": label, "margin": margin})


def test_platt_finds_the_line_that_scikit_learn_finds(rows: pd.DataFrame) -> None:
    grouped = rows.groupby("margin")["label"].agg(["size", "sum"]).reset_index()
    grouped.columns = ["margin", "size", "positives"]
    slope, intercept = fit_platt(grouped)
    oracle = LogisticRegression(C=1e12, tol=1e-10).fit(rows[["margin"]], rows["label"])
    assert (slope, intercept) == pytest.approx((oracle.coef_[0][0], oracle.intercept_[0]), abs=5e-3)
    assert (slope, intercept) == pytest.approx((0.5, -1), abs=0.1)


def test_bins_hold_every_row_once(spark: SparkSession, rows: pd.DataFrame) -> None:
    frame = spark.createDataFrame(
        rows.to_records(index=False).tolist(), "label double, margin double"
    ).repartition(3)
    binned = bins_of(frame, 0.5)
    expected = rows.groupby(np.floor(rows["margin"] / 0.5))
    assert binned["size"].tolist() == expected["label"].size().tolist()
    assert binned["positives"].tolist() == expected["label"].sum().tolist()
    np.testing.assert_allclose(binned["margin"], expected["margin"].mean())


def test_isotonic_equals_scikit_learn_and_its_column_equals_numpy(
    spark: SparkSession, rows: pd.DataFrame
) -> None:
    frame = spark.createDataFrame(rows.to_records(index=False).tolist(), "label double, margin double")
    fitted = fit_calibrator(frame, Calibration(method="isotonic"))
    oracle = IsotonicRegression(out_of_bounds="clip").fit(rows["margin"], rows["label"])
    grid = np.linspace(-10, 10, 401)
    found = spark.createDataFrame([(float(x),) for x in grid], "m double").select(
        fitted.of(F.col("m")).alias("p")
    )
    values = np.array([row["p"] for row in found.collect()])
    np.testing.assert_allclose(values, oracle.predict(grid), atol=1e-5)  # bins are the distinct margins here
    assert (np.diff(values) >= -1e-12).all()


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_a_calibrator_survives_the_registry(spark: SparkSession, rows: pd.DataFrame, method: str) -> None:
    frame = spark.createDataFrame(rows.to_records(index=False).tolist(), "label double, margin double")
    fitted = fit_calibrator(frame, Calibration(method=method))
    plain = {"method": fitted.method, "slope": fitted.slope, "intercept": fitted.intercept}
    plain |= {"margins": list(fitted.margins), "probabilities": list(fitted.probabilities)}
    assert from_plain(plain) == fitted
    scored = frame.select("label", fitted.of(F.col("margin")).alias("p")).toPandas()
    bins = np.array_split(scored.sort_values("p").index, 10)
    errors = [abs(scored.loc[rows, "p"].mean() - scored.loc[rows, "label"].mean()) for rows in bins]
    assert np.mean(errors) < 0.02


def test_a_ranking_is_never_turned_over(spark: SparkSession) -> None:
    backwards = spark.createDataFrame(
        [(float(i < 50), i / 10) for i in range(100)], "label double, margin double"
    )
    assert fit_calibrator(backwards, Calibration(method="platt")) == Calibrator()
    one_class = spark.createDataFrame([(0.0, 1.0), (0.0, 2.0)], "label double, margin double")
    assert fit_calibrator(one_class, Calibration()) == Calibrator()
