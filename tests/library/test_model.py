"""The model's predictions for frames of three libraries, beside arithmetic by hand."""

from __future__ import annotations

import math

import pandas as pd
import polars as pl
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.library.model import Model
from pozytywka_spark.models.calibration import ISOTONIC, PLATT, Calibrator
from pozytywka_spark.models.predictors import Linear
from pozytywka_spark.models.serving_model import ServingModel

# log-odds: 2 (a - 1) / 4 - 3 b + 0.5; a missing value stands for its mean
LINEAR = Linear(means=(1.0, 0.0), scales=(4.0, 1.0), coefficients=(2.0, -3.0), intercept=0.5)
ROWS = {"user_id": [7, 8, 9], "b": [True, False, None], "a": [3, None, 5], "city": ["x", None, "y"]}
MARGINS = [2 * 2 / 4 - 3 + 0.5, 0.5, 2 * 4 / 4 + 0.5]


def model_with(calibrator: Calibrator) -> Model:
    return Model(ServingModel(LINEAR, ("a", "b"), "hash", "buys", 30, 0.1, calibrator=calibrator))


PLATTS = model_with(Calibrator(PLATT, slope=0.5, intercept=-1.0))
EXPECTED = [1 / (1 + math.exp(-(0.5 * margin - 1))) for margin in MARGINS]


def test_a_polars_frame_has_the_calibrated_probability() -> None:
    frame = pl.DataFrame(ROWS)
    predicted = PLATTS.predict(frame)
    assert predicted.drop("probability").equals(frame)
    assert predicted["probability"].to_list() == pytest.approx(EXPECTED, abs=1e-15)


def test_a_pandas_frame_too_whatever_its_types_and_index() -> None:
    frame = pd.DataFrame(ROWS, index=[30, 10, 20])
    for typed in (frame, frame.convert_dtypes()):
        predicted = PLATTS.predict(typed)
        pd.testing.assert_frame_equal(predicted.drop(columns="probability"), typed)
        assert predicted["probability"].to_list() == pytest.approx(EXPECTED, abs=1e-15)
    assert "probability" not in frame.columns


def test_a_spark_frame_too(spark: SparkSession) -> None:
    rows = list(zip(*ROWS.values(), strict=True))
    frame = spark.createDataFrame(rows, "user_id long, b boolean, a int, city string")
    predicted = PLATTS.predict(frame)
    assert predicted.columns == [*frame.columns, "probability"]
    shown = {row["user_id"]: row for row in predicted.collect()}
    assert [shown[user]["probability"] for user in (7, 8, 9)] == pytest.approx(EXPECTED, abs=1e-15)
    assert [shown[user]["city"] for user in (7, 8, 9)] == ["x", None, "y"]


def test_by_isotonic_calibration() -> None:
    stepped = model_with(Calibrator(ISOTONIC, margins=(-1.5, 2.5), probabilities=(0.1, 0.5)))
    predicted = stepped.predict(pl.DataFrame(ROWS))["probability"].to_list()
    assert predicted == pytest.approx([0.1, 0.3, 0.5])


def test_no_rows_have_no_predictions() -> None:
    assert PLATTS.predict(pl.DataFrame(ROWS).clear())["probability"].to_list() == []


def test_a_frame_that_lacks_features_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="the frame lacks a of the model's 2 features"):
        PLATTS.predict(pd.DataFrame({"b": [1.0]}))
    with pytest.raises(DataError, match="has a column probability already"):
        PLATTS.predict(pl.DataFrame({"a": [1.0], "b": [1.0], "probability": [0.5]}))
    with pytest.raises(DataError, match="feature b"):
        PLATTS.predict(pl.DataFrame({"a": [1.0], "b": ["polka"]}))
    with pytest.raises(DataError, match="feature b"):
        PLATTS.predict(pd.DataFrame({"a": [1.0], "b": ["polka"]}))


def test_anything_but_a_frame_is_refused() -> None:
    with pytest.raises(UsageError, match="expected a frame of pandas, Polars or Spark, got a dict"):
        PLATTS.predict({"a": [1.0]})  # type: ignore[type-var]


def test_it_shows_what_it_is() -> None:
    shown = PLATTS._repr_html_()
    assert "logistic regression, for buys, 2 features" in shown
