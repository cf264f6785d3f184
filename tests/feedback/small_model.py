"""Models of a few words whose weights are written by hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from pozytywka_spark.feedback.bins import Cut, bin_of
from pozytywka_spark.feedback.labels import DETRACTOR, HAM, PROMOTER, QUEUE, SENTIMENT, SPAM
from pozytywka_spark.feedback.linear import Linear
from pozytywka_spark.feedback.model import Model
from pozytywka_spark.feedback.ngrams import COLUMNS, rows_of
from pozytywka_spark.feedback.topics import Topic

ALIKE = np.ones(COLUMNS, dtype=np.float32)
TOPICS = (
    Topic("adverts", "en", "loud, noise", {"loud": 1.0, "noise": 1.0}),
    Topic("adverts", "en", "many, often", {"many": 1.5, "often": 0.5}),
    Topic("payment", "en", "refund", {"refund": 1.0}),
)


def linear(classes: tuple[str, ...], words: Mapping[str, Mapping[str, float]]) -> Linear:
    """`words`: by class (of two classes the second alone) what each word weighs."""
    named = classes[1:] if len(classes) == 2 else classes
    weights = np.zeros((COLUMNS, len(named)), dtype=np.float32)
    for number, name in enumerate(named):
        for word, weight in words.get(name, {}).items():
            rows = rows_of(pl.Series([word]), ALIKE)
            weights[rows.indices, number] += weight / rows.nnz
    return Linear(classes, weights, np.zeros(len(named), dtype=np.float32))


def cut_at(chance: float) -> Cut:
    """From that chance on."""
    return Cut(int(bin_of(np.array([chance]))[0]), 100, 99)


def model(route: float | None = 0.9, spam: float | None = 0.9, ham: float | None = 0.9) -> Model:
    """Knows adverts, refund, great, awful and prize."""
    queues = {"adverts": {"adverts": 60.0}, "payment": {"refund": 60.0}}
    cuts = [None if chance is None else cut_at(chance) for chance in (route, spam, ham)]
    learnt = {
        QUEUE: linear(("adverts", "payment", "praise"), queues),
        SENTIMENT: linear((DETRACTOR, PROMOTER), {PROMOTER: {"great": 60.0, "awful": -60.0}}),
        SPAM: linear((HAM, SPAM), {SPAM: {"prize": 60.0, "adverts": -20.0, "refund": -20.0}}),
    }
    return Model(learnt, ALIKE, *cuts, TOPICS, "m1", {"silent": {}})
