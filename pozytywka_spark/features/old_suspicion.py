"""Guard 5, suspicion: a single feature that tells the label almost by itself is a leak until proven not."""

from __future__ import annotations

import time

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from sklearn.metrics import roc_auc_score

from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.guards.result import GuardResult

KEYS = ("user_id", "month")
ENOUGH_POSITIVES = 20  # below it a true AUC of 0.8 passes 0.95 by chance too often
FEWEST_POSITIVES = 8  # below it even perfect separation by one of a hundred features is chance


def sample_labels(labels: DataFrame, label: str, *, rows: int, seed: int) -> DataFrame:
    """At most `rows` labelled rows, at most a quarter of them positive, by a hash: user_id, month, label.

    The share of positives doesn't move an AUC, so that taking more of the rare class only sharpens it.
    """
    dice = F.xxhash64("user_id", "month", F.lit(seed))
    known = labels.where(F.col(label).isNotNull()).select(*KEYS, F.col(label).cast("int").alias("label"))
    positives = known.where("label = 1").orderBy(dice).limit(rows // 4)
    negatives = known.where("label = 0").orderBy(dice).limit(rows - rows // 4)
    return positives.unionByName(negatives)


def single_aucs(sampled: pd.DataFrame) -> dict[str, float]:
    """AUC of each feature alone against `label`, whichever way it points; a null counts as the lowest."""
    truth = sampled["label"].to_numpy()
    names = [name for name in sampled.columns if name not in (*KEYS, "label")]
    aucs = {}
    for name in names:
        values = sampled[name].fillna(-float("inf")).rank().to_numpy()
        auc = float(roc_auc_score(truth, values))
        aucs[name] = max(auc, 1 - auc)
    return aucs


def check_single_features(features: DataFrame, sampled: DataFrame, limit: float) -> GuardResult:
    """Guard `suspicion`: no feature alone has a ROC AUC of `limit` or more.

    `sampled` as of `sample_labels`, bounded and so safe to bring to the driver. With 8 to 19 positives
    only perfect separation counts, with fewer nothing does, and the result says so.
    Raises `GuardError` naming the feature.
    """
    start = time.monotonic()
    frame = features.join(F.broadcast(sampled), list(KEYS), "inner").toPandas()
    positives = int(frame["label"].sum())
    if positives < FEWEST_POSITIVES or positives == len(frame):
        told = f"{positives} positives in {len(frame)} mature rows are too few to judge"
        return GuardResult("suspicion", told, time.monotonic() - start)
    threshold = limit if positives >= ENOUGH_POSITIVES else 1.0
    aucs = single_aucs(frame)
    best = max(aucs, key=lambda name: aucs[name])
    if aucs[best] >= threshold:
        row = frame[frame["label"] == 1].sort_values(["month", "user_id"]).iloc[0]
        raise GuardError(
            f"guard suspicion: feature {best} alone has ROC AUC {aucs[best]:.4f} on {positives} positives, "
            f"{threshold} or more (user {row['user_id']}, month {row['month']:%Y-%m}: {best}={row[best]}): "
            "a leak unless proven not; fix it, or name it in features.drop"
        )
    told = f"best single feature: {best}, AUC {aucs[best]:.3f} on {positives} positives"
    return GuardResult("suspicion", told, time.monotonic() - start)
