"""A registered model that predicts for frames of pandas, Polars or Spark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.models.booster import MARGIN, Matrix, with_margin
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.reports.notebook import card

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    from pyspark.sql import DataFrame

Frame = TypeVar("Frame", "pd.DataFrame", "pl.DataFrame", "DataFrame")
PROBABILITY = "probability"


@dataclass(frozen=True)
class Model:
    """A version of the registered model with all it needs to predict; `serving` is what scoring uses."""

    serving: ServingModel

    @property
    def version(self) -> int:
        """Its number in the registry."""
        return self.serving.version

    @property
    def features(self) -> tuple[str, ...]:
        """Columns that a frame must have, in the model's order."""
        return self.serving.features

    @property
    def label(self) -> str:
        """The column of the table `labels` that it predicts."""
        return self.serving.label

    def predict(self, frame: Frame) -> Frame:
        """The same rows and columns with `probability` double added: the calibrated one that a user buys.

        `frame` has a row a user and month with the columns `features`, numbers or booleans, null (or NaN) as
        missing; what else it has stays. A frame of Spark's is computed when it is used. Raises `DataError`
        naming columns that are missing or already there, `UsageError` for anything else than a frame.
        """
        kind = _kind(frame)
        self._check(list(frame.columns))
        predict = {"pandas": self._of_pandas, "polars": self._of_polars, "pyspark": self._of_spark}[kind]
        predicted: Frame = predict(frame)
        return predicted

    def _of_pandas(self, frame: Any) -> Any:
        matrix = np.column_stack([_floats(name, frame[name]) for name in self.features])
        return frame.assign(**{PROBABILITY: self._probabilities(matrix)})

    def _of_polars(self, frame: Any) -> Any:
        import polars as pl

        text = [
            name for name in self.features if not (frame[name].dtype.is_numeric() or _is_flag(frame[name]))
        ]
        if text:
            raise _no_number(text[0], frame[text[0]].dtype)
        matrix = frame.select(pl.col(name).cast(pl.Float64) for name in self.features).to_numpy()
        return frame.with_columns(pl.Series(PROBABILITY, self._probabilities(matrix), pl.Float64))

    def _of_spark(self, frame: Any) -> Any:
        from pyspark.sql import functions as F

        scored = with_margin(frame, self.serving.predictor, self.features, frame.columns)
        return scored.withColumn(PROBABILITY, self.serving.calibrator.of(F.col(MARGIN))).drop(MARGIN)

    def _probabilities(self, matrix: Matrix) -> Matrix:
        if len(matrix) == 0:
            return np.empty(0)
        return self.serving.calibrator.apply(self.serving.predictor.margins(np.ascontiguousarray(matrix)))

    def _check(self, columns: Sequence[str]) -> None:
        missing = [name for name in self.features if name not in columns]
        if missing:
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            raise DataError(
                f"predict: the frame lacks {', '.join(missing[:3])}{more} of the model's "
                f"{len(self.features)} features; the table features has them"
            )
        taken = [name for name in (PROBABILITY, MARGIN) if name in columns]
        if taken:
            raise DataError(f"predict: the frame has a column {taken[0]} already: drop or rename it")

    def _repr_html_(self) -> str:
        """What it is, for a notebook."""
        lines = [
            f"{self.serving.kind_in_words}, for {self.label}, {len(self.features)} features, "
            f"fitted on months up to {self.serving.trained_until}",
            f"run {self.serving.run_id}",
        ]
        return card(f"model {self.serving.name} version {self.version}", lines=lines)


def _floats(name: str, column: Any) -> Matrix:
    """A column of pandas, of whatever type holds numbers, missing as NaN."""
    try:
        floats: Matrix = column.to_numpy(dtype="float64", na_value=np.nan)
    except (TypeError, ValueError):
        raise _no_number(name, column.dtype) from None
    return floats


def _is_flag(column: Any) -> bool:
    return str(column.dtype) in ("Boolean", "Null")


def _no_number(name: str, dtype: object) -> DataError:
    return DataError(f"predict: feature {name} is {dtype}, expected numbers or booleans")


def _kind(frame: object) -> str:
    """Which library's frame it is, asked of its class's name: none of them is imported for that."""
    for kind in type(frame).__mro__:
        root = kind.__module__.partition(".")[0]
        if kind.__name__ == "DataFrame" and root in ("pandas", "polars", "pyspark"):
            return root
    raise UsageError(f"predict: expected a frame of pandas, Polars or Spark, got a {type(frame).__name__}")
