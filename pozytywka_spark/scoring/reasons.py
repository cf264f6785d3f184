"""Why a user got the score: the strongest contributions, in the catalogue's words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import types as T

from pozytywka_spark.features.entry import Feature
from pozytywka_spark.schemas import PREDICTIONS
from pozytywka_spark.training.booster import MARGIN, Batches, Matrix, Predictor, as_matrix
from pozytywka_spark.training.serving import ServingModel

REASONS = "reasons"
_FIELDS = ("feature", "contribution", "value", "text", "actionable")


@dataclass(frozen=True)
class Words:
    """What is said of each feature, in the model's order."""

    names: tuple[str, ...]
    meanings: tuple[str, ...]
    units: tuple[str, ...]
    actionable: tuple[bool, ...]


def words_of(order: Sequence[str], catalogue: Sequence[Feature]) -> Words:
    """The catalogue's words for the features in `order`."""
    known = {feature.name: feature for feature in catalogue}
    entries = [known[name] for name in order]
    return Words(
        tuple(order),
        tuple(entry.meaning for entry in entries),
        tuple("" if entry.unit == "1" else f" {entry.unit}" for entry in entries),
        tuple(entry.actionable for entry in entries),
    )


def with_reasons(
    df: DataFrame, model: ServingModel, words: Words, keep: Sequence[str], top: int
) -> DataFrame:
    """Columns `keep`, `margin` double and `reasons`, the `top` strongest ones, strongest first.

    A reason's `contribution` is the feature's part of the log-odds (of trees: the exact SHAP value): over
    all features they add up, with the bias, to the margin. Reasons of contribution 0 are none and left out.
    """
    schema = T.StructType(
        [
            *(df.schema[name] for name in keep),
            T.StructField(MARGIN, T.DoubleType()),
            PREDICTIONS.schema[REASONS],
        ]
    )
    needed = df.select(*dict.fromkeys([*keep, *model.features]))
    return needed.mapInArrow(_explainer(model.predictor, words, tuple(keep), top), schema)


def _explainer(
    predictor: Predictor, words: Words, keep: tuple[str, ...], top: int
) -> Callable[[Batches], Batches]:
    def run(batches: Batches) -> Batches:
        for batch in batches:
            if batch.num_rows == 0:
                continue
            matrix = as_matrix(batch, words.names)
            contributions = predictor.contributions(matrix)
            margin = pa.array(predictor.margins(matrix))
            kept = [batch.column(batch.schema.get_field_index(name)) for name in keep]
            reasons = reasons_of(matrix, contributions[:, :-1], words, top)
            yield pa.RecordBatch.from_arrays([*kept, margin, reasons], [*keep, MARGIN, REASONS])

    return run


def reasons_of(matrix: Matrix, contributions: Matrix, words: Words, top: int) -> pa.ListArray:
    """A list of reasons for each row, strongest first; of equals the earlier feature first."""
    strongest = np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, :top]
    chosen = np.take_along_axis(contributions, strongest, axis=1)
    values = np.take_along_axis(matrix, strongest, axis=1)
    inside = chosen != 0
    index, contribution, value = strongest[inside], chosen[inside], values[inside]
    ends = np.concatenate([[0], np.cumsum(inside.sum(axis=1))]).astype(np.int32)
    fields = [
        _pick(words.names, index),
        pa.array(contribution),
        pa.array(value, from_pandas=True),
        _in_words(words, index, contribution, value),
        _pick(words.actionable, index),
    ]
    return pa.ListArray.from_arrays(pa.array(ends), pa.StructArray.from_arrays(fields, list(_FIELDS)))


def _in_words(words: Words, index: npt.NDArray[np.int64], contribution: Matrix, value: Matrix) -> pa.Array:
    """Such as "adverts heard: 12 events (raises the chance)"."""
    rounded = pc.cast(pa.array(np.round(value, 2), from_pandas=True), pa.string())
    number = pc.replace_substring_regex(rounded, r"\.0$", "")
    known = pc.binary_join_element_wise(number, _pick(words.units, index), "")
    told = pc.fill_null(known, "unknown")
    effect = pa.array(np.where(contribution > 0, " (raises the chance)", " (lowers the chance)"))
    text = pc.binary_join_element_wise(_pick(words.meanings, index), told, ": ")
    return pc.binary_join_element_wise(text, effect, "")


def _pick(choices: Sequence[str] | Sequence[bool], index: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(choices).take(pa.array(index))
