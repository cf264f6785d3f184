"""Guard 5, its other half: a model of shuffled labels must know nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.guards.result import GuardResult
from pozytywka_spark.training.booster import Matrix
from pozytywka_spark.training.estimators import tree_parameters
from pozytywka_spark.training.rows import LABEL, SIDE
from pozytywka_spark.training.splits import TEST, TRAIN

ROWS = 10_000
TREES = 15
SHUFFLES = 8
BEYOND = 7.0  # standard errors of the mean of 8: a true 0.5 lies outside in 1 of 5,000 runs (Student's t)
LEAST = 0.01  # below this distance from 0.5 nothing is worth stopping for


def check_shuffled(rows: DataFrame, order: Sequence[str], settings: Settings) -> GuardResult:
    """Guard `suspicion`: trees trained on shuffled labels of train can't tell the test side's labels.

    What still could would be a label among the features under another name, or rows of one user with
    one label on both sides. Both sides are sampled by a hash to a bounded number of rows, so they are
    small enough for the driver. Raises `GuardError`.
    """
    start = time.monotonic()
    train, test = (_sample(rows, side, order, settings.guards.seed) for side in (TRAIN, TEST))
    aucs = shuffled_aucs(train, test, order, settings)
    auc, allowed = float(aucs.mean()), allowance(aucs)
    if abs(auc - 0.5) > allowed:
        raise GuardError(
            f"guard suspicion: trees trained on shuffled labels reach ROC AUC {auc:.3f} on the test months, "
            f"expected 0.5 within {allowed:.3f}: something tells the label without being learnt; "
            "look for a row that stands on both sides or for an order of rows that follows the label"
        )
    told = f"shuffled labels give AUC {auc:.3f}, within {allowed:.3f} of 0.5"
    return GuardResult("suspicion", told, time.monotonic() - start)


def allowance(aucs: Matrix) -> float:
    """How far the mean over shuffles may lie from 0.5.

    One shuffle's AUC scatters widely where a feature is strong: trees of noise lean on it in a random
    direction. The directions are symmetric, so the mean's own standard error is what to compare with.
    """
    return max(LEAST, BEYOND * float(aucs.std(ddof=1) / np.sqrt(len(aucs))))


def shuffled_aucs(
    train: pd.DataFrame, test: pd.DataFrame, order: Sequence[str], settings: Settings
) -> Matrix:
    """ROC AUC on `test` of trees trained on permuted labels of `train`, one for each permutation."""
    import xgboost
    from sklearn.metrics import roc_auc_score

    parameters = {**tree_parameters(settings, order, 1.0), "objective": "binary:logistic", "nthread": 1}
    names = list(order)
    known, unknown = xgboost.DMatrix(train[names]), xgboost.DMatrix(test[names])
    drawn = np.random.default_rng(settings.guards.seed)
    aucs = []
    for _ in range(SHUFFLES):
        known.set_label(drawn.permutation(train[LABEL].to_numpy()))
        booster = xgboost.train(parameters, known, TREES)
        aucs.append(roc_auc_score(test[LABEL], booster.predict(unknown)))
    return np.array(aucs, dtype=np.float64)


def _sample(rows: DataFrame, side: str, order: Sequence[str], seed: int) -> pd.DataFrame:
    chosen = rows.filter(F.col(SIDE) == side).select("user_id", "month", LABEL, *order)
    return chosen.orderBy(F.xxhash64("user_id", "month", F.lit(seed))).limit(ROWS).toPandas()
