"""Boosted trees in numpy; on the executors any model's margins, and each feature's contribution to them."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pozytywka_spark.models.names import XGBOOST
from pozytywka_spark.models.tree_shap import PathTree, contributions, path_trees

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql import types as T

Matrix = npt.NDArray[np.float64]
Features = npt.NDArray[np.floating[Any]]  # a row a row, NaN as missing
Batches = Iterator[pa.RecordBatch]
Arrays = dict[str, pa.Array]

# XGBoost's threads wait for each other a thousand times a fit: asleep, not spinning on cores others need
# (on a busy machine a seventh of the CPU, the same trees), but for the first tenth of a millisecond: threads
# that sleep at once take half as long again. OpenMP reads this when xgboost is first imported
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "20000")

MARGIN = "margin"
CONTRIBUTIONS = "contributions"


class Predictor(Protocol):
    """What gives log-odds for rows of features in the model's order, NaN as missing; travels to executors."""

    kind: ClassVar[str]

    def margins(self, matrix: Features) -> Matrix:
        """Log-odds of each row."""
        ...

    def contributions(self, matrix: Features, threads: int | None = None) -> Matrix:
        """Each feature's part of the log-odds, the bias in the last column; a row's sum is its margin.

        By so many threads, else as many as the task has.
        """
        ...

    def content(self) -> bytes:
        """The native file that holds it."""
        ...


@dataclass(frozen=True)
class Trees:
    """Boosted trees as native UBJ, cut to the best iteration: `trees` of them, all are used."""

    booster: bytes
    trees: int
    kind: ClassVar[str] = XGBOOST

    def margins(self, matrix: Features) -> Matrix:
        """Log-odds of each row."""
        return margins(self.booster, matrix)

    def contributions(self, matrix: Features, threads: int | None = None) -> Matrix:
        """Exact tree SHAP values, the bias last; they add up to the margin to 32-bit precision."""
        return explain(self.booster, matrix, threads)

    def content(self) -> bytes:
        """The file that holds it."""
        return self.booster


def with_margin(
    df: DataFrame,
    predictor: Predictor,
    order: Sequence[str],
    keep: Sequence[str],
    *,
    contributions: bool = False,
) -> DataFrame:
    """Columns `keep`, `margin` double (log-odds) and if asked `contributions` array<double>.

    The contributions (of trees: exact tree SHAP values) are in the order of the features with the bias
    last; they add up to the margin. Features are read by name in the model's own order, null as missing.
    """
    from pyspark.sql import types as T

    added = [T.StructField(MARGIN, T.DoubleType())]
    if contributions:
        added.append(T.StructField(CONTRIBUTIONS, T.ArrayType(T.DoubleType())))
    run = _mapper(tuple(order), tuple(keep), _predictor(predictor, contributions))
    return _mapped(df, order, keep, added, run)


def probability(margin: Column) -> Column:
    """The probability of log-odds."""
    from pyspark.sql import functions as F

    return F.lit(1.0) / (F.lit(1.0) + F.exp(-margin))


def _mapped(
    df: DataFrame,
    order: Sequence[str],
    keep: Sequence[str],
    added: Sequence[T.StructField],
    run: Callable[[Batches], Batches],
) -> DataFrame:
    from pyspark.sql import types as T

    schema = T.StructType([*(df.schema[name] for name in keep), *added])
    return df.select(*dict.fromkeys([*keep, *order])).mapInArrow(run, schema)


def _mapper(
    order: tuple[str, ...], keep: tuple[str, ...], predict: Callable[[Matrix], Arrays]
) -> Callable[[Batches], Batches]:
    """What each task runs; the model travels to the executors with it."""

    def run(batches: Batches) -> Batches:
        for batch in batches:
            if batch.num_rows == 0:
                continue
            predicted = predict(as_matrix(batch, order))
            columns = [batch.column(batch.schema.get_field_index(name)) for name in keep]
            yield pa.RecordBatch.from_arrays([*columns, *predicted.values()], [*keep, *predicted])

    return run


def _predictor(predictor: Predictor, contributions: bool) -> Callable[[Matrix], Arrays]:
    def predict(matrix: Matrix) -> Arrays:
        columns = {MARGIN: pa.array(predictor.margins(matrix))}
        if contributions:
            values = predictor.contributions(matrix)
            width = pa.array(np.arange(0, values.size + 1, values.shape[1], dtype=np.int32))
            columns[CONTRIBUTIONS] = pa.ListArray.from_arrays(width, pa.array(values.ravel()))
        return columns

    return predict


def as_matrix(batch: pa.RecordBatch, order: Sequence[str]) -> Matrix:
    """The named columns, in that order, null as NaN."""
    columns = [batch.column(batch.schema.get_field_index(name)) for name in order]
    return np.column_stack([column.to_numpy(zero_copy_only=False).astype(np.float64) for column in columns])


def margins(booster: bytes, matrix: Features) -> Matrix:
    """Log-odds of each row by all trees of `booster`: it holds the best iteration's and no more."""
    margins = load(booster).inplace_predict(matrix, predict_type="margin", missing=np.nan)
    return np.asarray(margins, dtype=np.float64)


def explain(booster: bytes, matrix: Features, threads: int | None = None) -> Matrix:
    """Tree SHAP values, a row a row, the bias in the last column; by so many threads, else by the task's."""
    trees = _paths(hashlib.sha256(booster).hexdigest(), _Raw(booster))
    if trees is None:
        return _by_xgboost(booster, matrix, threads)
    # the bias is the same whatever the row
    bias = _by_xgboost(booster, np.zeros((1, matrix.shape[1])), threads)[0, -1]
    return np.column_stack([contributions(trees, matrix), np.full(len(matrix), bias)])


def _by_xgboost(booster: bytes, matrix: Features, threads: int | None) -> Matrix:
    import xgboost

    data = xgboost.DMatrix(matrix, missing=np.nan, nthread=threads or task_threads())
    parts = load(booster, threads).predict(data, pred_contribs=True, validate_features=False)
    return np.asarray(parts, dtype=np.float64)


def task_threads() -> int:
    """The cpus of the task that asks; 1 outside of tasks."""
    if "pyspark" not in sys.modules:
        return 1
    from pyspark import TaskContext

    context = TaskContext.get()
    return context.cpus() if context else 1


def load(booster: bytes, threads: int | None = None) -> Any:
    """The booster with so many threads, else its task's, read once a worker process."""
    return _loaded(hashlib.sha256(booster).hexdigest(), _Raw(booster), threads or task_threads())


class _Raw:
    """Bytes that don't take part in the cache's key, so that a lookup hashes a digest only."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Raw)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=8)
def _paths(digest: str, raw: _Raw) -> tuple[PathTree, ...] | None:
    return path_trees(load(raw.content))


@lru_cache(maxsize=8)
def _loaded(digest: str, raw: _Raw, threads: int) -> Any:
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(bytearray(raw.content))
    booster.set_param({"nthread": threads})
    return booster
