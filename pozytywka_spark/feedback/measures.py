"""Sums of what tasks measured -> how good a model is, and from which bin on it is believed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pozytywka_spark.feedback.bins import BINS, Counts, Cut, lowest_cut, roc_auc
from pozytywka_spark.feedback.calibration import careful_cut, sigmoid_of
from pozytywka_spark.feedback.linear import Linear
from pozytywka_spark.feedback.measure_work import TEMPERATURES


@dataclass(frozen=True)
class Measured:
    """Of a model and a task: `loss` a text; `wrong`, `right` by bin of the likeliest class's chance; `first`,
    `second`: texts of either class by bin of the second's chance, none but of two classes; `pairs`: texts by
    (label, likeliest class); `temperature`: the best of those tried.
    """

    texts: int
    loss: float
    wrong: Counts
    right: Counts
    first: Counts
    second: Counts
    pairs: Mapping[tuple[str, str], int]
    temperature: float

    @property
    def accuracy(self) -> float:
        """Share of texts whose likeliest class is theirs."""
        return float(self.right.sum()) / self.texts

    @property
    def auc(self) -> float | None:
        """Area under the ROC curve, of two classes."""
        return roc_auc(self.first, self.second)

    def route(self, precision: float) -> Cut | None:
        """From where on the likeliest class is right often enough."""
        return lowest_cut(self.wrong + self.right, self.right, precision)

    def second_from(self, precision: float) -> Cut | None:
        """From where on texts are of the second class often enough."""
        return careful_cut(self.first, self.second, precision)

    def first_from(self, precision: float) -> Cut | None:
        """The same of the first class, by bins of its own chance."""
        return careful_cut(self.second[::-1], self.first[::-1], precision)

    def calibrated(self, model: Linear) -> Linear:
        """The model that was measured, as sure of itself as it was right: by a sigmoid, of more classes than
        two by a temperature.
        """
        if len(model.classes) > 2:
            return replace(model, temperature=self.temperature)
        by = sigmoid_of(self.first, self.second)
        offset = by.slope * model.offset + by.offset
        return replace(model, temperature=model.temperature / by.slope, offset=offset)


def sum_up(lines: Sequence[Mapping[str, Any]], model: str, task: str) -> Measured | None:
    """Of all lines (`Measure`) of a model and a task; None where no text has a label."""
    mine = [line for line in lines if (line["model"], line["task"]) == (model, task)]
    texts = sum(line["texts"] for line in mine)
    if not texts:
        return None
    losses = np.sum([line["losses"] for line in mine], axis=0)
    wrong, right = _by_bin(mine, "bins")
    first, second = _by_bin(mine, "second")
    pairs: Counter[tuple[str, str]] = Counter()
    for line in mine:
        for label, best, many in line["pairs"]:
            pairs[label, best] += many
    best = TEMPERATURES[int(losses.argmin())]
    loss = sum(line["loss"] for line in mine) / texts
    return Measured(texts, loss, wrong, right, first, second, dict(sorted(pairs.items())), best)


def _by_bin(lines: Sequence[Mapping[str, Any]], name: str) -> tuple[Counts, Counts]:
    ones, others = np.zeros(BINS, dtype=np.int64), np.zeros(BINS, dtype=np.int64)
    for line in lines:
        for place, one, other in line.get(name, ()):
            ones[place] += one
            others[place] += other
    return ones, others
