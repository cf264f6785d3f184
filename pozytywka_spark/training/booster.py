"""A trained booster on the executors: margins, and each feature's contribution to them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark import TaskContext
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

Matrix = npt.NDArray[np.float64]
Batches = Iterator[pa.RecordBatch]

MARGIN = "margin"
CONTRIBUTIONS = "contributions"


def with_margin(
    df: DataFrame, booster: bytes, order: Sequence[str], keep: Sequence[str], *, contributions: bool = False
) -> DataFrame:
    """Columns `keep`, `margin` double (the booster's log-odds) and if asked `contributions` array<double>.

    The contributions are exact tree SHAP values in the order of the features with the bias last; they
    add up to the margin (to 32-bit precision). Features are read by name in the model's own order, null
    as missing. All trees of `booster` are used: it holds the best iteration's and no more.
    """
    added = [T.StructField(MARGIN, T.DoubleType())]
    if contributions:
        added.append(T.StructField(CONTRIBUTIONS, T.ArrayType(T.DoubleType())))
    schema = T.StructType([*(df.schema[name] for name in keep), *added])
    needed = df.select(*dict.fromkeys([*keep, *order]))
    return needed.mapInArrow(_predictor(booster, tuple(order), tuple(keep), contributions), schema)


def probability(margin: Column) -> Column:
    """The probability of log-odds."""
    return F.lit(1.0) / (F.lit(1.0) + F.exp(-margin))


def _predictor(
    booster: bytes, order: tuple[str, ...], keep: tuple[str, ...], contributions: bool
) -> Callable[[Batches], Batches]:
    """What each task runs; the booster travels to the executors with it."""

    def predict(batches: Batches) -> Batches:
        for batch in batches:
            if batch.num_rows == 0:
                continue
            matrix = as_matrix(batch, order)
            arrays = [pa.array(margins(booster, matrix))]
            names = [MARGIN]
            if contributions:
                values = explain(booster, matrix)
                width = pa.array(np.arange(0, values.size + 1, values.shape[1], dtype=np.int32))
                arrays.append(pa.ListArray.from_arrays(width, pa.array(values.ravel())))
                names.append(CONTRIBUTIONS)
            kept = [batch.column(batch.schema.get_field_index(name)) for name in keep]
            yield pa.RecordBatch.from_arrays([*kept, *arrays], [*keep, *names])

    return predict


def as_matrix(batch: pa.RecordBatch, order: Sequence[str]) -> Matrix:
    """The named columns, in that order, null as NaN."""
    columns = [batch.column(batch.schema.get_field_index(name)) for name in order]
    return np.column_stack([column.to_numpy(zero_copy_only=False).astype(np.float64) for column in columns])


def margins(booster: bytes, matrix: Matrix) -> Matrix:
    """Log-odds of each row."""
    found = load(booster).inplace_predict(matrix, predict_type="margin", missing=np.nan)
    return np.asarray(found, dtype=np.float64)


def explain(booster: bytes, matrix: Matrix) -> Matrix:
    """Tree SHAP values, a row a row, the bias in the last column."""
    import xgboost

    data = xgboost.DMatrix(matrix, missing=np.nan, nthread=task_threads())
    found = load(booster).predict(data, pred_contribs=True, validate_features=False)
    return np.asarray(found, dtype=np.float64)


def task_threads() -> int:
    """The cpus of the task that asks; 1 outside of tasks."""
    context = TaskContext.get()
    return context.cpus() if context else 1


def load(booster: bytes) -> Any:
    """The booster with its task's threads, read once a worker process."""
    return _loaded(hashlib.sha256(booster).hexdigest(), _Raw(booster))


class _Raw:
    """Bytes that don't take part in the cache's key, so that a lookup hashes a digest only."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Raw)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=8)
def _loaded(digest: str, raw: _Raw) -> Any:
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(bytearray(raw.content))
    booster.set_param({"nthread": task_threads()})
    return booster
