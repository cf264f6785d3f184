"""Calibration: fitted values against scikit-learn, Spark's column against the array, errors made small."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from pozytywka_spark.config import Calibration
from pozytywka_spark.models.calibration import (
    Bins,
    Calibrator,
    bins_of,
    fit_calibrator,
    fit_platt,
    from_plain,
)


def fitted_on(rows: pd.DataFrame, method: str) -> Calibrator:
    margins, labels = rows["margin"].to_numpy(), rows["label"].to_numpy()
    return fit_calibrator(margins, labels, method, Calibration().isotonic_positives)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Margins twice too bold: the true log-odds are half of them, minus one."""
    drawn = np.random.default_rng(5)
    margin = np.clip(np.round(drawn.normal(0, 2, 4000), 1), -4, 4)
    label = (drawn.random(4000) < 1 / (1 + np.exp(1 - margin / 2))).astype(float)
    return pd.DataFrame({"label": label, "margin": margin})


def test_platt_finds_the_line_that_scikit_learn_finds(rows: pd.DataFrame) -> None:
    grouped = rows.groupby("margin")["label"].agg(["size", "sum"]).reset_index()
    slope, intercept = fit_platt(Bins(*(grouped[name].to_numpy(float) for name in ("margin", "size", "sum"))))
    oracle = LogisticRegression(C=1e12, tol=1e-10).fit(rows[["margin"]], rows["label"])
    assert (slope, intercept) == pytest.approx((oracle.coef_[0][0], oracle.intercept_[0]), abs=5e-3)
    assert (slope, intercept) == pytest.approx((0.5, -1), abs=0.1)


def test_bins_hold_every_row_once(rows: pd.DataFrame) -> None:
    binned = bins_of(rows["margin"].to_numpy(), rows["label"].to_numpy(), 0.5)
    expected = rows.groupby(np.floor(rows["margin"] / 0.5))
    assert binned.size.tolist() == expected["label"].size().tolist()
    assert binned.positives.tolist() == expected["label"].sum().tolist()
    np.testing.assert_allclose(binned.margin, expected["margin"].mean())


def test_isotonic_equals_scikit_learn(rows: pd.DataFrame) -> None:
    oracle = IsotonicRegression(out_of_bounds="clip").fit(rows["margin"], rows["label"])
    grid = np.linspace(-10, 10, 401)
    values = fitted_on(rows, "isotonic").apply(grid)
    np.testing.assert_allclose(values, oracle.predict(grid), atol=1e-5)  # bins are the distinct margins here
    assert (np.diff(values) >= -1e-12).all()


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_a_calibrator_survives_the_registry(rows: pd.DataFrame, method: str) -> None:
    fitted = fitted_on(rows, method)
    plain = {"method": fitted.method, "slope": fitted.slope, "intercept": fitted.intercept}
    plain |= {"margins": list(fitted.margins), "probabilities": list(fitted.probabilities)}
    assert from_plain(plain) == fitted
    scored = rows.assign(p=fitted.apply(rows["margin"].to_numpy()))
    bins = np.array_split(scored.sort_values("p").index, 10)
    errors = [abs(scored.loc[rows, "p"].mean() - scored.loc[rows, "label"].mean()) for rows in bins]
    assert np.mean(errors) < 0.02


def test_the_column_of_spark_equals_the_array(spark: SparkSession, rows: pd.DataFrame) -> None:
    calibrators = [fitted_on(rows, "platt"), fitted_on(rows, "isotonic"), Calibrator()]
    knots = [knot for knot in calibrators[1].margins if -10 <= knot <= 10]
    margins = np.concatenate([np.linspace(-10, 10, 401), knots, [-800.0]])
    columns = [each.of(F.col("m")).alias(f"p{place}") for place, each in enumerate(calibrators)]
    frame = spark.createDataFrame([(float(x),) for x in margins], "m double").select("m", *columns).toPandas()
    for place, each in enumerate(calibrators):
        expected = each.apply(frame["m"].to_numpy())
        np.testing.assert_allclose(frame[f"p{place}"], expected, rtol=1e-12, atol=1e-15)


def test_a_ranking_is_never_turned_over() -> None:
    margins = np.arange(100) / 10
    assert fit_calibrator(margins, (np.arange(100) < 50).astype(float), "platt", 1000) == Calibrator()
    assert fit_calibrator(np.array([1.0, 2.0]), np.zeros(2), "auto", 1000) == Calibrator()


def test_many_positives_make_it_isotonic(rows: pd.DataFrame) -> None:
    margins, labels = rows["margin"].to_numpy(), rows["label"].to_numpy()
    positives = int(labels.sum())
    assert fit_calibrator(margins, labels, "auto", positives).method == "isotonic"
    assert fit_calibrator(margins, labels, "auto", positives + 1).method == "platt"
