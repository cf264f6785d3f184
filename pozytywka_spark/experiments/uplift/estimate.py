"""Uplift: how much likelier the treatment makes a user's purchase, by models that never saw that user.

Two folds by a hash of the user; each is estimated by models fitted on the other (cross-fitting).
`two_model`: a classifier a group, the difference of their probabilities. `transformed`: one regression on
y (t - e) / (e (1 - e)), e the treated share, whose mean given the features is the uplift (Athey and Imbens
2015).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from xgboost.spark import SparkXGBClassifier, SparkXGBRegressor

from pozytywka_spark.config import Uplift
from pozytywka_spark.experiments.uplift.qini import BINS
from pozytywka_spark.experiments.uplift.rank import with_rank
from pozytywka_spark.models.booster import MARGIN, probability, with_margin
from pozytywka_spark.models.predictors import Trees

FOLDS = 2
KEYS = ("user_id", "month", "revision", "treated", "bought", "fold", "score")


def cross_fitted(
    rows: DataFrame, order: Sequence[str], settings: Uplift, workers: int, shares: Mapping[int, float]
) -> DataFrame:
    """Grain user: `KEYS` and `uplift`. Cache it: what reads it predicts anew.

    `rows` has `KEYS` and the features `order` as doubles. Where `score` is null, which is for all or none,
    the probability without treatment stands in for it (two models only). `shares`: the treated share by
    revision.
    """
    estimates = [_estimated(rows, order, settings, workers, shares, fold) for fold in range(FOLDS)]
    return estimates[0].unionByName(estimates[1])


def with_bins(estimates: DataFrame, sizes: Mapping[int, int]) -> DataFrame:
    """Add `uplift_bin`, `score_bin`: 0 (best) to 19, of ranks within the fold, whose `sizes` are given."""
    folds = [_ranked(estimates.where(F.col("fold") == fold), sizes[fold]) for fold in range(FOLDS)]
    return folds[0].unionByName(folds[1])


def _estimated(
    rows: DataFrame,
    order: Sequence[str],
    settings: Uplift,
    workers: int,
    shares: Mapping[int, float],
    fold: int,
) -> DataFrame:
    others, own = rows.where(F.col("fold") != fold), rows.where(F.col("fold") == fold)
    if settings.method == "transformed":
        model = _fit(
            SparkXGBRegressor, others.withColumns({"z": transformed(shares)}), "z", order, settings, workers
        )
        return with_margin(own, model, order, KEYS).select(*KEYS, F.col(MARGIN).alias("uplift"))
    without, treated = (
        _fit(SparkXGBClassifier, others.where(F.col("treated") == group), "bought", order, settings, workers)
        for group in (0, 1)
    )
    first = with_margin(own, without, order, [*KEYS, *order])
    base = first.withColumns({"base": probability(F.col(MARGIN))}).drop(MARGIN)
    both = with_margin(base, treated, order, [*KEYS, "base"])
    score = F.coalesce("score", "base").alias("score")
    columns = [name for name in KEYS if name != "score"]
    return both.select(*columns, score, (probability(F.col(MARGIN)) - F.col("base")).alias("uplift"))


def transformed(shares: Mapping[int, float]) -> Column:
    """The transformed outcome of each row."""
    share = F.lit(None).cast("double")
    for revision, value in shares.items():
        share = F.when(F.col("revision") == revision, F.lit(value)).otherwise(share)
    treated, bought = F.col("treated").cast("double"), F.col("bought").cast("double")
    return bought * (treated - share) / (share * (1 - share))


def _fit(
    estimator: Any, rows: DataFrame, label: str, order: Sequence[str], settings: Uplift, workers: int
) -> Trees:
    """Boosted trees. Rows go to workers by user and are sorted there: the same rows, the same trees."""
    used = (
        rows.select("user_id", "month", label, *order)
        .repartition(workers, "user_id")
        .sortWithinPartitions("user_id", "month")
    )
    made = estimator(
        features_col=list(order),
        label_col=label,
        missing=float("nan"),
        num_workers=workers,
        n_estimators=settings.max_trees,
        max_depth=settings.max_depth,
        learning_rate=settings.learning_rate,
        min_child_weight=settings.min_child_weight,
        tree_method="hist",
        seed=settings.seed,
        verbose=False,
    )
    booster = made.fit(used).get_booster()
    booster.feature_names = list(order)
    return Trees(bytes(booster.save_raw("ubj")), settings.max_trees)


def _ranked(estimates: DataFrame, rows: int) -> DataFrame:
    ranked = estimates
    for name in ("uplift", "score"):
        placed = ranked.transform(with_rank, name, "user_id", rows)
        into = F.floor((F.col("rank") - 1) * BINS / F.lit(max(rows, 1))).cast("int")
        ranked = placed.withColumns({f"{name}_bin": into}).drop("rank", "decile")
    return ranked
