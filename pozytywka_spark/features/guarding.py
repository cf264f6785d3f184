"""The guards that run at this stage, in order of cost, before features and labels are written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.features.catalogue import feature_order
from pozytywka_spark.features.entry import Feature
from pozytywka_spark.features.guards import GuardResult, check_names, check_rows
from pozytywka_spark.features.perturbation import check_perturbation
from pozytywka_spark.features.recipe import Dimensions, features_from_events
from pozytywka_spark.features.suspicion import check_single_features, sample_labels
from pozytywka_spark.features.user_month import as_features
from pozytywka_spark.kept import keeping


def run_guards(
    settings: Settings,
    events: DataFrame,
    dimensions: Dimensions,
    purchases: DataFrame,
    labels: DataFrame,
    rows: DataFrame,
    features: Sequence[Feature],
    months: Sequence[date],
    built: Sequence[date],
) -> list[GuardResult]:
    """Guards `names`, `rows`, `suspicion` and `perturbation` over `rows` of user_month.

    `months` are all months with events, `built` those being built. Raises `GuardError`.
    """
    guards = settings.guards
    chosen = [feature for feature in features if feature.name in feature_order(settings, features)]
    results = [check_names([feature.name for feature in chosen]), check_rows(rows, purchases)]
    with keeping() as keep:
        sampled = keep(
            sample_labels(labels, settings.label.horizon_column, rows=guards.suspicion_rows, seed=guards.seed)
        )
        owners = rows.join(F.broadcast(sampled.select("user_id").distinct()), "user_id", "left_semi")
        results.append(check_single_features(as_features(owners, chosen), sampled, guards.max_single_auc))
    if guards.perturbation:
        users = sample_users(rows, guards.perturbation_users, guards.seed)
        month = pick_month(built, guards.seed)
        until = [each for each in months if each <= month]
        with keeping() as keep:

            def stored(df: DataFrame) -> DataFrame:
                kept = keep(df)
                kept.count()  # now, by generated code
                return kept

            def rebuild(mine: DataFrame, everyones: DataFrame) -> DataFrame:
                return features_from_events(mine, everyones, dimensions, chosen, until, stored)

            known = stored(as_features(rows.where(F.col("user_id").isin(users)), chosen))
            own = stored(events.where(F.col("user_id").isin(users)))
            results.append(check_perturbation(rebuild, own, events, known, month=month, seed=guards.seed))
    return results


def sample_users(rows: DataFrame, number: int, seed: int) -> list[int]:
    """At most `number` users, the same ones for the same seed."""
    dice = F.xxhash64("user_id", F.lit(seed))
    chosen = rows.select("user_id").distinct().orderBy(dice, "user_id").limit(number).collect()
    return sorted(row["user_id"] for row in chosen)


def pick_month(built: Sequence[date], seed: int) -> date:
    """The month whose future is taken away: any but the last one, whose future isn't there yet."""
    candidates = built[:-1] or built
    return candidates[seed % len(candidates)]
