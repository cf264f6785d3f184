"""Logistic regression: Spark ML fits it; what it needs of the columns is one numpy pass a side.

Wide aggregates and an Imputer over a hundred columns cost Spark seconds of generated code; summing
arrays batch by batch costs milliseconds and gives the same statistics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.training.booster import Batches, Matrix, as_matrix
from pozytywka_spark.training.predictors import Linear
from pozytywka_spark.training.rows import LABEL, SIDE
from pozytywka_spark.training.splits import TRAIN

_STANDARDISED = "standardised"
_STATISTICS = ("count", "total", "squares", "low", "high")


@dataclass(frozen=True)
class FittedLogistic:
    """Coefficients per standard deviation; nulls stand for the train side's mean, that is for 0."""

    order: tuple[str, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float
    left_out: tuple[str, ...]


def fit_logistic(rows: DataFrame, order: Sequence[str], settings: Settings) -> FittedLogistic:
    """Regularised (L2) logistic regression on the train side, standardised, nulls imputed with means.

    All statistics are the train side's. Features without two different values there are left out.
    Raises `DataError` if none is left.
    """
    train = rows.filter(F.col(SIDE) == TRAIN)
    statistics = column_statistics(train, order)
    varying = statistics["high"] > statistics["low"]
    used = tuple(name for name, varies in zip(order, varying, strict=True) if varies)
    if not used:
        raise DataError("no feature varies on the train side: nothing can be learnt from it")
    means = tuple(statistics["mean"][varying].tolist())
    deviations = tuple(statistics["deviation"][varying].tolist())
    vectors = train.mapInArrow(
        _standardiser(used, means, deviations), f"{LABEL} double, {_STANDARDISED} array<double>"
    )
    estimator = LogisticRegression(
        featuresCol=_STANDARDISED,
        labelCol=LABEL,
        regParam=settings.training.logistic_reg_param,
        standardization=False,  # they are already
        maxIter=100,
    )
    fitted: Any = estimator.fit(
        vectors.select(LABEL, array_to_vector(F.col(_STANDARDISED)).alias(_STANDARDISED))
    )
    return FittedLogistic(
        order=used,
        means=means,
        deviations=deviations,
        coefficients=tuple(fitted.coefficients.toArray().tolist()),
        intercept=float(fitted.intercept),
        left_out=tuple(name for name in order if name not in used),
    )


def as_linear(fitted: FittedLogistic, order: Sequence[str]) -> Linear:
    """What serves, over all features of `order`: those that fitting left out have the coefficient 0."""
    columns = zip(fitted.means, fitted.deviations, fitted.coefficients, strict=True)
    known = dict(zip(fitted.order, columns, strict=True))
    means, scales, coefficients = zip(*(known.get(name, (0.0, 1.0, 0.0)) for name in order), strict=True)
    return Linear(means, scales, coefficients, fitted.intercept)


def standardise(matrix: Matrix, means: Sequence[float], deviations: Sequence[float]) -> Matrix:
    """Distance from the mean in standard deviations; 0 for a null."""
    return np.asarray(np.nan_to_num((matrix - np.array(means)) / np.array(deviations)), dtype=np.float64)


def column_statistics(df: DataFrame, order: Sequence[str]) -> dict[str, Matrix]:
    """Arrays over `order`: count, mean, deviation (of a sample), low, high of the values that aren't null."""
    names = tuple(order)
    schema = ", ".join(f"{name} array<double>" for name in _STATISTICS)
    parts = df.select(*names).mapInArrow(_summariser(names), schema).toPandas()
    if parts.empty:
        raise DataError("no rows to take statistics of")
    stacked = {name: np.stack(list(parts[name])) for name in _STATISTICS}
    count = stacked["count"].sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = stacked["total"].sum(axis=0) / count
        # parts' squares are about their own means, so nothing large cancels
        shift = np.nan_to_num(stacked["total"] / stacked["count"] - mean)
        squares = (stacked["squares"] + stacked["count"] * np.square(shift)).sum(axis=0)
        deviation = np.sqrt(squares / np.maximum(count - 1, 1))
    low, high = stacked["low"].min(axis=0), stacked["high"].max(axis=0)
    return {"count": count, "mean": mean, "deviation": deviation, "low": low, "high": high}


def _summariser(names: tuple[str, ...]) -> Callable[[Batches], Batches]:
    def summarise(batches: Batches) -> Batches:
        for batch in batches:
            if batch.num_rows:
                yield _one_row(_summary(as_matrix(batch, names)))

    return summarise


def _summary(matrix: Matrix) -> Iterator[Matrix]:
    known = ~np.isnan(matrix)
    count = known.sum(axis=0).astype(np.float64)
    total = np.where(known, matrix, 0.0).sum(axis=0)
    mean = total / np.maximum(count, 1)
    yield count
    yield total
    yield np.where(known, np.square(matrix - mean), 0.0).sum(axis=0)
    yield np.where(known, matrix, np.inf).min(axis=0)
    yield np.where(known, matrix, -np.inf).max(axis=0)


def _one_row(arrays: Iterator[Matrix]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([values.tolist()]) for values in arrays], list(_STATISTICS))


def _standardiser(
    order: tuple[str, ...], means: tuple[float, ...], deviations: tuple[float, ...]
) -> Callable[[Batches], Batches]:
    def transform(batches: Batches) -> Batches:
        for batch in batches:
            matrix = standardise(as_matrix(batch, order), means, deviations)
            width = pa.array(np.arange(0, matrix.size + 1, matrix.shape[1], dtype=np.int32))
            vectors = pa.ListArray.from_arrays(width, pa.array(matrix.ravel()))
            label = batch.column(batch.schema.get_field_index(LABEL))
            yield pa.RecordBatch.from_arrays([label, vectors], [LABEL, _STANDARDISED])

    return transform
