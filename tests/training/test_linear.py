"""Column statistics and logistic regression against numpy and scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from sklearn.linear_model import LogisticRegression

from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.training.booster import with_margin
from pozytywka_spark.training.linear import as_linear, column_statistics, fit_logistic

SCHEMA = "side string, label double, a double, b double, constant double, unknown double"


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    drawn = np.random.default_rng(0)
    rows = pd.DataFrame({"a": drawn.normal(1e6, 2, 600), "b": drawn.exponential(3, 600)})
    rows["label"] = (drawn.random(600) < 1 / (1 + np.exp(-(rows["a"] - 1e6) + 0.5))).astype(float)
    rows.loc[::7, "b"] = np.nan
    rows["constant"], rows["unknown"] = 3.0, np.nan
    rows["side"] = np.where(np.arange(600) < 450, "train", "test")
    return rows[["side", "label", "a", "b", "constant", "unknown"]]


def as_spark(spark: SparkSession, frame: pd.DataFrame) -> object:
    rows = frame.astype(object).where(frame.notna(), None)
    return spark.createDataFrame([tuple(row) for row in rows.itertuples(index=False)], SCHEMA)


def test_statistics_equal_pandas(spark: SparkSession, frame: pd.DataFrame) -> None:
    found = column_statistics(as_spark(spark, frame).repartition(5), ["a", "b", "constant"])
    columns = frame[["a", "b", "constant"]]
    np.testing.assert_array_equal(found["count"], columns.count())
    np.testing.assert_allclose(found["mean"], columns.mean(), rtol=1e-14)
    np.testing.assert_allclose(found["deviation"], columns.std(), rtol=1e-10)  # far from zero: no cancelling
    np.testing.assert_array_equal(found["low"], columns.min())
    np.testing.assert_array_equal(found["high"], columns.max())


def test_equals_scikit_learn_with_train_fitted_statistics(
    spark: SparkSession, frame: pd.DataFrame, tmp_path: Path
) -> None:
    settings = load_settings("local", [f"home={tmp_path}"])
    fitted = fit_logistic(as_spark(spark, frame), ["a", "b", "constant", "unknown"], settings)
    assert fitted.order == ("a", "b")
    assert fitted.left_out == ("constant", "unknown")
    train = frame[frame["side"] == "train"]
    scaled = ((frame[["a", "b"]] - train[["a", "b"]].mean()) / train[["a", "b"]].std()).fillna(0)
    # Spark minimises the mean loss plus regParam/2 |w|², scikit-learn C times the sum plus |w|²/2
    strength = 1 / (settings.training.logistic_reg_param * len(train))
    oracle = LogisticRegression(C=strength, tol=1e-10, max_iter=1000)
    oracle.fit(scaled[frame["side"] == "train"], train["label"])
    np.testing.assert_allclose(fitted.coefficients, oracle.coef_[0], rtol=1e-3)
    order = ("unknown", "b", "constant", "a")  # what serves takes the left out ones too, in any order
    serving = as_linear(fitted, order)
    margins = serving.margins(frame[list(order)].to_numpy())
    np.testing.assert_allclose(1 / (1 + np.exp(-margins)), oracle.predict_proba(scaled)[:, 1], atol=1e-3)
    by_hand = scaled.to_numpy() @ np.array(fitted.coefficients) + fitted.intercept
    np.testing.assert_allclose(margins, by_hand, atol=1e-9)
    scored = with_margin(as_spark(spark, frame), serving, order, ["label"]).toPandas()
    np.testing.assert_array_equal(scored["margin"], margins)


def test_nothing_that_varies_is_refused(spark: SparkSession, frame: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no feature varies"):
        fit_logistic(
            as_spark(spark, frame), ["constant", "unknown"], load_settings("local", [f"home={tmp_path}"])
        )
