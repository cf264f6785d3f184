"""Features of a month and the champion -> predictions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Policy, Settings, deciding
from pozytywka_spark.datadays import span_of_features
from pozytywka_spark.errors import DataError
from pozytywka_spark.features.catalogue import catalogue_hash, catalogue_of, feature_order
from pozytywka_spark.features.guards.names import check_hash, check_order
from pozytywka_spark.lake.api import Lake, Partition
from pozytywka_spark.schemas import PREDICTIONS
from pozytywka_spark.scoring.policy import with_selected
from pozytywka_spark.scoring.rank import ROWS_A_BUCKET, with_rank
from pozytywka_spark.scoring.reasons import REASONS, with_reasons, words_of
from pozytywka_spark.training.booster import MARGIN, probability, with_margin
from pozytywka_spark.training.predicted import check_label
from pozytywka_spark.training.rows import content_hash
from pozytywka_spark.training.serving import ServingModel
from pozytywka_spark.training.tracking.registry import load_model
from pozytywka_spark.training.tracking.store import connect
from pozytywka_spark.wholemonth import ChosenMonth, choose_month

FORMAT = 4


@dataclass(frozen=True)
class ScoringReport:
    """What was scored: a row a decile, and whether the same was there before.

    `complete`: the data cover the whole month; `note` says what a person should know of the month's choice.
    """

    month: date
    complete: bool
    note: str
    rows: int
    model_name: str
    model_version: int
    model_kind: str
    label: str
    deciles: Sequence[Mapping[str, Any]]
    path: str
    unchanged: bool


def score(spark: SparkSession, settings: Settings, lake: Lake, month: date | None = None) -> ScoringReport:
    """Score all free users of `month` (default: the last complete one with features) with the champion.

    Replaces exactly the partition of that month and that model version in `predictions`; the same
    features and the same model leave it alone. Raises `DataError` if there is nothing to score,
    `TrackingError` if no champion is registered, `GuardError` if its features aren't today's, or its label
    isn't the one that the settings ask for.
    """
    features, chosen = read_month(settings, lake, month)
    model = load_model(connect(settings))
    check_label(model, settings.label)
    order = feature_order(settings)
    check_order(model.features, order)
    check_hash(model.catalogue_hash, catalogue_hash(settings))
    content = content_hash(features.select("user_id", "month", *order))
    scoring_id = _scoring_id(model, settings, content, chosen)
    unchanged = _is_there(lake, chosen.month, model, scoring_id)
    if not unchanged:
        _write(lake, features, chosen, model, settings, scoring_id)
    deciles = _deciles(_partition(lake, chosen.month, model))
    return ScoringReport(
        month=chosen.month,
        complete=chosen.complete,
        note=chosen.note,
        rows=sum(row["users"] for row in deciles),
        model_name=model.name,
        model_version=model.version,
        model_kind=model.kind_in_words,
        label=model.label,
        deciles=deciles,
        path=lake.path(PREDICTIONS.name),
        unchanged=unchanged,
    )


def read_month(settings: Settings, lake: Lake, month: date | None) -> tuple[DataFrame, ChosenMonth]:
    """Features of `month`, or of the last complete one there is. Raises `DataError` if there are none."""
    if not lake.exists("features"):
        raise DataError(f"table features is not in {lake.root}: run the features job first")
    known = sorted(row["month"] for row in lake.read("features").select("month").distinct().collect())
    if not known:
        raise DataError("table features is empty: no user without premium has an event in any month")
    chosen = choose_month(known, span_of_features(settings, lake), month, "scored")
    if chosen.month not in known:
        raise DataError(
            f"no user to score in {chosen.month:%Y-%m}: table features has months {known[0]:%Y-%m} "
            f"to {known[-1]:%Y-%m}"
        )
    features = lake.read("features", partitions=[{"month": chosen.month}])
    return features, chosen


def _write(
    lake: Lake,
    features: DataFrame,
    chosen: ChosenMonth,
    model: ServingModel,
    settings: Settings,
    scoring_id: str,
) -> None:
    scoring = settings.scoring
    rows, scores = features.count(), as_scores(features, model, settings)
    partition: Partition = {"month": chosen.month, "model_version": model.version}
    several_passes = rows > ROWS_A_BUCKET or scoring.policy.kind == "precision"
    cached = scores.persist() if several_passes else scores
    made = cached.transform(
        as_predictions, rows, model, scoring.policy, scoring_id, datetime.now(UTC)
    ).withColumns({"complete": F.lit(chosen.complete)})
    try:
        lake.replace_partitions(PREDICTIONS.conform(made), PREDICTIONS, [partition])
    finally:
        cached.unpersist()


def as_scores(features: DataFrame, model: ServingModel, settings: Settings) -> DataFrame:
    """Grain user and month: keys, `margin` double, as many of the strongest reasons as settings ask for."""
    keys, reasons = ["user_id", "month"], settings.scoring.reasons
    if reasons:
        words = words_of(model.features, catalogue_of(settings))
        return with_reasons(features, model, words, keys, reasons)
    none = F.array().cast(PREDICTIONS.schema[REASONS].dataType)
    return with_margin(features, model.predictor, model.features, keys).withColumns({REASONS: none})


def as_predictions(
    scores: DataFrame, rows: int, model: ServingModel, policy: Policy, scoring_id: str, scored_at: datetime
) -> DataFrame:
    """Grain user, month and model version: the table `predictions` for the `rows` rows of `scores`.

    `probability` is calibrated, `probability_raw` the model's own; ranks go by the margin, which a
    calibrator's steps can't tie. `selected` is who gets an offer by `policy`.
    """
    margin = F.col(MARGIN)
    made = {
        "probability_raw": probability(margin),
        "probability": model.calibrator.of(margin),
        "model_name": F.lit(model.name),
        "model_version": F.lit(model.version),
        "scoring_id": F.lit(scoring_id),
        "scored_at": F.lit(scored_at),
        "label": F.lit(model.label),
        "horizon_days": F.lit(model.horizon).cast("int"),
    }
    return (
        scores.withColumns(made)
        .transform(with_rank, MARGIN, "user_id", rows)
        .transform(with_selected, policy)
    )


def _scoring_id(model: ServingModel, settings: Settings, content: str, chosen: ChosenMonth) -> str:
    """Names everything that decides a partition's rows, so that they needn't be made twice."""
    inputs = [FORMAT, model.name, model.version, model.run_id, deciding(settings, "predictions"), content]
    inputs.append(chosen.complete)
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:32]


def _is_there(lake: Lake, month: date, model: ServingModel, scoring_id: str) -> bool:
    if not lake.exists(PREDICTIONS.name):
        return False
    first = _partition(lake, month, model).select("scoring_id").first()
    return first is not None and first["scoring_id"] == scoring_id


def _partition(lake: Lake, month: date, model: ServingModel) -> DataFrame:
    return lake.read(PREDICTIONS.name, partitions=[{"month": month, "model_version": model.version}])


def _deciles(predictions: DataFrame) -> list[dict[str, Any]]:
    found = predictions.groupBy("decile").agg(
        F.count("*").alias("users"),
        F.min("probability").alias("lowest"),
        F.avg("probability").alias("mean"),
        F.max("probability").alias("highest"),
        F.count_if("selected").alias("selected"),
    )
    return [row.asDict() for row in found.orderBy("decile").collect()]
