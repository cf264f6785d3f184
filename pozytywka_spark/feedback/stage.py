"""Labelled texts -> linear models, by Spark ML: the one place of this room where rows are Spark's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date

import numpy as np
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pozytywka_spark.feedback.labels import COLUMNS, LEARNT
from pozytywka_spark.feedback.linear import Linear
from pozytywka_spark.feedback.ngrams import Weights
from pozytywka_spark.feedback.vectors import Vectors
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.open_tasks import slots_of
from pozytywka_spark.schemas import FEEDBACK
from pozytywka_spark.spark.temporary_conf import without_codegen

_STRENGTH = 1.0  # of all texts' loss together against the penalty on weights
_ITERATIONS = 40
_TEXTS_A_PART = 50_000
_TOLERANCE = 1e-4


def fit(
    spark: SparkSession,
    lake: Lake,
    months: Sequence[date],
    texts: int,
    classes: Mapping[str, Sequence[str]],
    ngrams: Weights,
) -> dict[str, Linear]:
    """A model of each task, from `texts` texts of those months: logistic regression on weighted n-grams."""
    with without_codegen(spark), _vectors(spark, lake, months, texts, classes, ngrams) as rows:
        return {task: _fitted(rows, task, names, ngrams) for task, names in classes.items()}


@contextmanager
def _vectors(
    spark: SparkSession,
    lake: Lake,
    months: Sequence[date],
    texts: int,
    classes: Mapping[str, Sequence[str]],
    ngrams: Weights,
) -> Iterator[DataFrame]:
    """`features`, and by task the number of the text's class (null without), kept till the block ends."""
    from pyspark.ml.linalg import VectorUDT

    work = Vectors({task: tuple(names) for task, names in classes.items()}, ngrams)
    fields = [
        T.StructField("features", VectorUDT()),
        *(T.StructField(task, T.DoubleType()) for task in LEARNT),
    ]
    stored = lake.read(FEEDBACK.name, partitions=[{"feedback_month": month} for month in months])
    # each sends its gradient in each iteration: no more of them than there is work for
    parts = max(slots_of(spark), texts // _TEXTS_A_PART)
    rows = stored.where(F.col("text").isNotNull()).select(*COLUMNS).repartition(parts)
    kept = rows.mapInArrow(work, T.StructType(fields)).persist()
    try:
        yield kept
    finally:
        kept.unpersist()


def _fitted(rows: DataFrame, task: str, names: Sequence[str], ngrams: Weights) -> Linear:
    from pyspark.ml.classification import LogisticRegression

    mine = rows.where(F.col(task).isNotNull()).select("features", F.col(task).alias("label"))
    texts = mine.count()
    estimator = LogisticRegression(
        maxIter=_ITERATIONS,
        tol=_TOLERANCE,
        regParam=1.0 / (_STRENGTH * texts),
        standardization=False,  # else rare n-grams would cost the least
        family="binomial" if len(names) == 2 else "multinomial",
    )
    model = estimator.fit(mine)
    weights = np.zeros((len(ngrams), model.coefficientMatrix.numRows), dtype=np.float32)
    weights[ngrams > 0] = model.coefficientMatrix.toArray().T
    return Linear(tuple(names), weights, model.interceptVector.toArray().astype(np.float32))
