"""Fit the heads: trees with a leaf value a head, on all but the held-out users; calibrated on those."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.errors import DataError
from pozytywka_spark.feed.heads.calibration import calibrated
from pozytywka_spark.feed.heads.examples import Examples
from pozytywka_spark.feed.heads.features import features_hash
from pozytywka_spark.feed.heads.model import Heads, own_rate
from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.names import HEADS

LEAST = 20  # examples of a head, on either side
_LIGHTEST, _HEAVIEST = 20.0, 150.0


@dataclass(frozen=True)
class How:
    """Of the trees. Shallow and few: what they say of a pair has to come at half a million pairs a second."""

    rounds: int = 80
    depth: int = 4
    eta: float = 0.1
    seed: int = 7
    threads: int = 1


def fit_heads(examples: Examples, how: How) -> Heads:
    """A head with fewer than `LEAST` examples is left out. Raises `DataError` if all are."""
    import xgboost

    inside, whole = ~examples.whole, examples.whole
    enough = [
        column
        for column in range(len(HEADS))
        if min(examples.done[inside, column].sum(), examples.done[whole, column].sum()) >= LEAST
    ]
    if not enough:
        raise DataError(
            f"no head has {LEAST} examples among what users did after the cut-offs: train on a later --at"
        )
    matrix = xgboost.QuantileDMatrix(
        examples.features[:, inside].T,
        examples.done[inside][:, enough].astype(np.float32),
        weight=examples.weight[inside],
        feature_names=None,
        nthread=how.threads,
    )
    parameters = {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "multi_strategy": "multi_output_tree",
        "max_depth": how.depth,
        "eta": how.eta,
        "min_child_weight": _least_weight(examples.done[inside]),
        "subsample": 0.8,
        "colsample_bytree": 0.6,
        "seed": how.seed,
        "nthread": how.threads,
    }
    booster = xgboost.train(parameters, matrix, how.rounds)
    trained = tuple(HEADS[column] for column in enough)
    raw = Heads(bytes(booster.save_raw("ubj")), trained, {}, features_hash())
    features = examples.features[:, whole]
    margins = raw.margins(features)
    calibrations = {}
    for column, head in enumerate(trained):
        done = examples.done[whole, HEADS.index(head)].astype(np.float64)
        calibrations[head] = calibrated(
            margins[:, column], done, examples.user[whole], own_rate(features, head)
        )
    return Heads(raw.booster, trained, calibrations, raw.features)


def _least_weight(done: Array) -> float:
    """Of a leaf (the sum of w·p·(1 - p) of its pairs): about a hundredth of what was done, within bounds.

    Lighter leaves follow the chance of a few pairs, which costs plays among the first fifty 3% (measured on
    development cut-offs of worlds with taste); in a small world heavier ones would leave no split at all.
    """
    return float(np.clip(done.any(axis=1).sum() / 100, _LIGHTEST, _HEAVIEST))
