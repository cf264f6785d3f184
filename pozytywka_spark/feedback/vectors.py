"""Texts and labels -> rows of Spark ML's vectors, batch by batch in Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from pozytywka_spark.feedback.labels import LEARNT, label_of
from pozytywka_spark.feedback.ngrams import COLUMNS as NGRAMS
from pozytywka_spark.feedback.ngrams import rows_of


@dataclass(frozen=True)
class Vectors:
    """Work of `mapInArrow` on `text`, `score`, `queue`, `spam`: `features` (of the n-grams `ngrams`, in their
    order) and of each task the number of its class in `classes`, null of one that isn't there.

    Texts without a class in any task are left out. A vector is what `VectorUDT` makes of it: a struct of a
    type (0 for sparse), a size, indices and values.
    """

    classes: Mapping[str, tuple[str, ...]]
    ngrams: npt.NDArray[np.int64]

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """A batch for each."""
        places = np.full(NGRAMS, -1, dtype=np.int32)
        places[self.ngrams] = np.arange(len(self.ngrams), dtype=np.int32)
        for batch in batches:
            frame = pl.from_arrow(batch)
            assert isinstance(frame, pl.DataFrame)
            rows = frame.select("text", *(self._number(task) for task in LEARNT))
            rows = rows.filter(pl.any_horizontal(pl.col(*LEARNT).is_not_null()))
            labels = [rows.get_column(task).to_arrow() for task in LEARNT]
            features = _structs(rows.get_column("text"), places, len(self.ngrams))
            yield pa.RecordBatch.from_arrays([features, *labels], ["features", *LEARNT])

    def _number(self, task: str) -> pl.Expr:
        names = list(self.classes.get(task, ()))
        numbers = [float(number) for number in range(len(names))]
        if not names:
            return pl.lit(None, pl.Float64).alias(task)
        label = label_of(task)
        return label.replace_strict(names, numbers, default=None, return_dtype=pl.Float64).alias(task)


def _structs(texts: pl.Series, places: npt.NDArray[np.int32], size: int) -> pa.StructArray:
    rows = rows_of(texts)
    column = places[rows.indices]
    there = column >= 0
    ends = np.concatenate([[0], np.cumsum(there)])[rows.indptr].astype(np.int32)
    many = len(texts)
    return pa.StructArray.from_arrays(
        [
            pa.array(np.zeros(many, dtype=np.int8)),
            pa.array(np.full(many, size, dtype=np.int32)),
            pa.ListArray.from_arrays(pa.array(ends), pa.array(column[there])),
            pa.ListArray.from_arrays(pa.array(ends), pa.array(rows.data[there])),
        ],
        ["type", "size", "indices", "values"],
    )
