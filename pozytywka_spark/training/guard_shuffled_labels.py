"""Guard 5, its other half: a model of shuffled labels must know nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.questions import Asked
from pozytywka_spark.dataset.table import SIDES, TrainingTable
from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.guards.result import GuardResult
from pozytywka_spark.hashing.dice import dice
from pozytywka_spark.models.booster import Matrix
from pozytywka_spark.models.tree_parameters import tree_parameters
from pozytywka_spark.names import TEST, TRAIN

ROWS = 10_000
TREES = 15
SHUFFLES = 8
BEYOND = 7.0  # standard errors of the mean of 8: a true 0.5 lies outside in 1 of 5,000 runs (Student's t)
LEAST = 0.01  # below this distance from 0.5 nothing is worth stopping for
_ALL = slice(None)
_HALVES = (slice(0, SHUFFLES // 2), slice(SHUFFLES // 2, None))


def check_shuffled(asked: Asked, order: Sequence[str], settings: Settings) -> GuardResult:
    """Guard `suspicion`: trees trained on shuffled labels of train can't tell the test side's labels.

    What still could would be a label among the features under another name, or rows of one user with
    one label on both sides. Both sides are sampled by dice to a bounded number of rows. Raises `GuardError`.
    """
    start = time.monotonic()
    parameters = {**tree_parameters(settings, order, 1.0), "objective": "binary:logistic", "nthread": 1}
    question = partial(shuffled_aucs, parameters=parameters, seed=settings.guards.seed)
    aucs = np.concatenate(asked.ask([partial(question, which=which) for which in _HALVES]))
    auc, allowed = float(aucs.mean()), allowance(aucs)
    if abs(auc - 0.5) > allowed:
        raise GuardError(
            f"guard suspicion: trees trained on shuffled labels reach ROC AUC {auc:.3f} on the test months, "
            f"expected 0.5 within {allowed:.3f}: something tells the label without being learnt; "
            "look for a row that stands on both sides or for an order of rows that follows the label"
        )
    message = f"shuffled labels give AUC {auc:.3f}, within {allowed:.3f} of 0.5"
    return GuardResult("suspicion", message, time.monotonic() - start)


def allowance(aucs: Matrix) -> float:
    """How far the mean over shuffles may lie from 0.5.

    One shuffle's AUC scatters widely where a feature is strong: trees of noise lean on it in a random
    direction. The directions are symmetric, so the mean's own standard error is what to compare with.
    """
    return max(LEAST, BEYOND * float(aucs.std(ddof=1) / np.sqrt(len(aucs))))


def shuffled_aucs(
    table: TrainingTable, parameters: Mapping[str, object], seed: int, which: slice = _ALL
) -> Matrix:
    """ROC AUC on the test side of trees trained on permuted labels of train, one for each permutation.

    `which`: of the `SHUFFLES` permutations, in their order.
    """
    import xgboost
    from sklearn.metrics import roc_auc_score

    train, test = (_sample(table, side, seed) for side in (TRAIN, TEST))
    train_matrix, test_matrix = (
        xgboost.DMatrix(side.matrix, missing=np.nan, nthread=1) for side in (train, test)
    )
    drawn = np.random.default_rng(seed)
    aucs = []
    for labels in [drawn.permutation(train.label) for _ in range(SHUFFLES)][which]:
        train_matrix.set_label(labels)
        booster = xgboost.train(dict(parameters), train_matrix, TREES)
        aucs.append(roc_auc_score(test.label, booster.predict(test_matrix)))
    return np.array(aucs, dtype=np.float64)


def _sample(table: TrainingTable, side: str, seed: int) -> TrainingTable:
    """At most `ROWS` rows of the side, those whose dice fell lowest, in the table's order."""
    places = np.flatnonzero(table.side == SIDES.index(side))
    if len(places) > ROWS:
        keys = pl.DataFrame({"user_id": table.user_id[places], "month": table.month[places]})
        places = places[np.argpartition(dice(keys, seed).to_numpy(), ROWS)[:ROWS]]
    mask = np.zeros(len(table), bool)
    mask[places] = True
    return table.where(mask)
