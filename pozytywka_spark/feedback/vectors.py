"""Texts and labels -> rows of Spark ML's vectors, batch by batch in Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from pozytywka_spark.feedback.labels import LEARNT, label_of
from pozytywka_spark.feedback.ngrams import Weights, rows_of

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True)
class Vectors:
    """Work of `mapInArrow` on `text`, `score`, `queue`, `spam`: `features` (of the n-grams with a weight, in
    their order) and of each task the number of its class in `classes`, null of one that isn't there.

    Texts without a class in any task are left out. A vector is what `VectorUDT` makes of it: a struct of a
    type (0 for sparse), a size, indices and values.
    """

    classes: Mapping[str, tuple[str, ...]]
    ngrams: Weights

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """A batch for each."""
        there = self.ngrams > 0
        places = (np.cumsum(there) - 1).astype(np.int32)
        for batch in batches:
            frame = pl.from_arrow(batch)
            assert isinstance(frame, pl.DataFrame)
            rows = frame.select("text", *(self._number(task) for task in LEARNT))
            rows = rows.filter(pl.any_horizontal(pl.col(*LEARNT).is_not_null()))
            labels = [rows.get_column(task).to_arrow() for task in LEARNT]
            features = _structs(rows_of(rows.get_column("text"), self.ngrams), places, int(there.sum()))
            yield pa.RecordBatch.from_arrays([features, *labels], ["features", *LEARNT])

    def _number(self, task: str) -> pl.Expr:
        names = list(self.classes.get(task, ()))
        numbers = [float(number) for number in range(len(names))]
        if not names:
            return pl.lit(None, pl.Float64).alias(task)
        label = label_of(task)
        return label.replace_strict(names, numbers, default=None, return_dtype=pl.Float64).alias(task)


def _structs(rows: csr_matrix, places: npt.NDArray[np.int32], size: int) -> pa.StructArray:
    many, ends = rows.shape[0], pa.array(rows.indptr.astype(np.int32))
    return pa.StructArray.from_arrays(
        [
            pa.array(np.zeros(many, dtype=np.int8)),
            pa.array(np.full(many, size, dtype=np.int32)),
            pa.ListArray.from_arrays(ends, pa.array(places[rows.indices])),
            pa.ListArray.from_arrays(ends, pa.array(rows.data)),
        ],
        ["type", "size", "indices", "values"],
    )
