"""Why a user got the score: the strongest contributions, in the catalogue's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pozytywka_spark.schemas import GENRE_GROUPS

if TYPE_CHECKING:
    from pozytywka_spark.features.declared.declaration import Feature
    from pozytywka_spark.models.booster import Matrix

REASONS = "reasons"
_FIELDS = ("feature", "contribution", "value", "text", "actionable")


@dataclass(frozen=True)
class Words:
    """What is said of each feature, in the model's order."""

    names: tuple[str, ...]
    meanings: tuple[str, ...]
    units: tuple[str, ...]
    actionable: tuple[bool, ...]
    grouped: tuple[bool, ...] = ()  # of groups of genres: said with the one that the user plays most


def words_of(order: Sequence[str], catalogue: Sequence[Feature]) -> Words:
    """The catalogue's words for the features in `order`."""
    features = {feature.name: feature for feature in catalogue}
    entries = [features[name] for name in order]
    return Words(
        tuple(order),
        tuple(entry.meaning for entry in entries),
        tuple("" if entry.unit == "1" else f" {entry.unit}" for entry in entries),
        tuple(entry.actionable for entry in entries),
        tuple(GENRE_GROUPS.name in entry.needs for entry in entries),
    )


def reasons_of(
    matrix: Matrix, contributions: Matrix, words: Words, top: int, groups: pa.Array | None = None
) -> pa.ListArray:
    """A list of reasons for each row, strongest first; of equals the earlier feature first.

    `groups`: of each row the name of the group of genres that the user plays most, null where unknown.
    """
    strongest = np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, :top]
    strongest_values = np.take_along_axis(contributions, strongest, axis=1)
    values = np.take_along_axis(matrix, strongest, axis=1)
    inside = strongest_values != 0
    index, contribution, value = strongest[inside], strongest_values[inside], values[inside]
    ends = np.concatenate([[0], np.cumsum(inside.sum(axis=1))]).astype(np.int32)
    fields = [
        _pick(words.names, index),
        pa.array(contribution),
        pa.array(value, from_pandas=True),
        _in_words(words, index, contribution, value, _of_groups(words, index, inside, groups)),
        _pick(words.actionable, index),
    ]
    return pa.ListArray.from_arrays(pa.array(ends), pa.StructArray.from_arrays(fields, list(_FIELDS)))


def _of_groups(
    words: Words, index: npt.NDArray[np.int64], inside: npt.NDArray[np.bool_], groups: pa.Array | None
) -> pa.Array:
    """What a reason adds of groups, such as ", mostly jazz, soul, lounge"; mostly nothing."""
    nothing = pa.nulls(len(index), pa.string()).fill_null("")
    if groups is None or not any(words.grouped):
        return nothing
    named = groups.take(pa.array(np.nonzero(inside)[0]))
    said = pc.and_(_pick(words.grouped, index), pc.is_valid(named))
    return pc.if_else(said, pc.binary_join_element_wise(", mostly ", named.fill_null(""), ""), nothing)


def _in_words(
    words: Words, index: npt.NDArray[np.int64], contribution: Matrix, value: Matrix, more: pa.Array
) -> pa.Array:
    """Such as "adverts heard: 12 events (raises the chance)"; `more` stands before the effect."""
    rounded = pc.cast(pa.array(np.round(value, 2), from_pandas=True), pa.string())
    number = pc.replace_substring_regex(rounded, r"\.0$", "")
    with_unit = pc.binary_join_element_wise(number, _pick(words.units, index), "")
    value_text = pc.fill_null(with_unit, "unknown")
    effect = pa.array(np.where(contribution > 0, " (raises the chance)", " (lowers the chance)"))
    text = pc.binary_join_element_wise(_pick(words.meanings, index), value_text, ": ")
    return pc.binary_join_element_wise(text, more, effect, "")


def _pick(choices: Sequence[str] | Sequence[bool], index: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(choices).take(pa.array(index))
