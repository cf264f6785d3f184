"""How right models are about texts with labels: counts by bins, losses, confusions; sums that add up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.feedback.bins import BINS, bin_of
from pozytywka_spark.feedback.count_work import labelled
from pozytywka_spark.feedback.linear import Floats, Linear, chances_of
from pozytywka_spark.feedback.model import taken
from pozytywka_spark.feedback.ngrams import rows_of
from pozytywka_spark.lake.shards import Parcel, Shard
from pozytywka_spark.lake.tasks import TaskFiles

# Temperatures that are tried: from surer to less sure than the model is of itself
TEMPERATURES = (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 2.7, 3.5, 5.0)
_LEAST = 1e-6  # of a chance, in a loss; a class that a model has never seen has it


@dataclass(frozen=True)
class Measure:
    """Work on shards of `feedback`: a line a shard, model and task with labels there, see `measured`.

    `models`: parcels of `model.put`, by name.
    """

    models: Mapping[str, Parcel]

    def __call__(self, items: Sequence[Shard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """All lines."""
        models = {name: taken(files, parcel) for name, parcel in self.models.items()}
        for shard in items:
            for rows in labelled(files, shard.files):
                for name, one in models.items():
                    vectors = rows_of(rows.get_column("text"), one.ngrams)
                    for task, model in one.learnt.items():
                        with_label = rows.get_column(task).is_not_null().to_numpy()
                        if with_label.any():
                            labels = rows.get_column(task).drop_nulls()
                            margins = model.margins(vectors[np.flatnonzero(with_label)])
                            yield {"model": name, "task": task, **measured(model, margins, labels)}


def measured(model: Linear, margins: Floats, labels: pl.Series) -> dict[str, Any]:
    """Of texts with labels: their number `texts`; `losses` (negative log chance of the label, summed) by
    temperature of TEMPERATURES and `loss` of the model as it is; `bins`: [bin, wrong, right] of the likeliest
    class; of two classes `second`: [bin of the chance of the second class, texts of the first, of
    the second]; `pairs`: [label, likeliest class, texts].
    """
    place = labels.replace_strict(
        list(model.classes), range(len(model.classes)), default=-1, return_dtype=pl.Int64
    )
    truth = place.to_numpy()
    chances = chances_of(margins, model.temperature, model.offset)
    best = chances.argmax(axis=1)
    right = best == truth
    content: dict[str, Any] = {
        "texts": len(truth),
        "losses": [_loss(chances_of(margins, temperature), truth) for temperature in TEMPERATURES],
        "loss": _loss(chances, truth),
        "bins": _by_bin(bin_of(chances.max(axis=1)), ~right, right),
    }
    if len(model.classes) == 2:
        content["second"] = _by_bin(bin_of(chances[:, 1]), truth == 0, truth == 1)
    named = pl.DataFrame({"label": labels, "best": [model.classes[number] for number in best]})
    content["pairs"] = [list(row) for row in named.group_by("label", "best").len().iter_rows()]
    return content


def _loss(chances: Floats, truth: npt.NDArray[np.int64]) -> float:
    of_label = np.where(truth >= 0, chances[np.arange(len(truth)), truth], 0.0)
    return float(-np.log(np.maximum(of_label, _LEAST)).sum())


def _by_bin(
    bins: npt.NDArray[np.int64], one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]
) -> list[list[int]]:
    ones, others = (np.bincount(bins[mask], minlength=BINS) for mask in (one, other))
    return [[int(place), int(ones[place]), int(others[place])] for place in np.flatnonzero(ones + others)]
