"""How well a model does: estimated from its own probabilities, then measured once the labels are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.training.booster import MARGIN, with_margin
from pozytywka_spark.training.evaluation_frames import evaluate
from pozytywka_spark.training.metrics import Evaluation
from pozytywka_spark.training.rows import LABEL
from pozytywka_spark.training.serving import ServingModel

ESTIMATED, REALISED = "estimated", "realised"
NORMAL = 1.959963984540054  # of a 95% interval
_CLIP = 1e-15


@dataclass(frozen=True)
class Measured:
    """A number with its 95% interval."""

    value: float
    low: float
    high: float


Performance = Mapping[str, Measured]


def with_probability(rows: DataFrame, model: ServingModel) -> DataFrame:
    """Grain user and month: user_id, month, margin, score (the calibrated probability), label if there."""
    keep = [name for name in ("user_id", "month", LABEL) if name in rows.columns]
    margins = with_margin(rows, model.predictor, model.features, keep)
    return margins.withColumns({"score": model.calibrator.of(F.col(MARGIN))})


def as_estimated(scored: DataFrame) -> DataFrame:
    """Rows for `evaluate` whose label is the probability itself.

    Confidence-based performance estimation: a row of probability p counts as p of a buyer and 1 - p of
    another, so that each metric comes out as expected under the model's own probabilities (the NannyML
    library's CBPE; its documentation, "How it works: performance estimation"). It holds as far as the
    model is calibrated on this month's users: it sees that users change, not that the law does.
    """
    name = F.concat_ws(" ", F.date_format("month", "yyyy-MM"), F.lit(ESTIMATED)).alias("name")
    return scored.select(name, "user_id", F.col("score").alias(LABEL), "score")


def as_realised(scored: DataFrame) -> DataFrame:
    """Rows for `evaluate` whose label is what came true; those that are not known yet left out."""
    name = F.concat_ws(" ", F.date_format("month", "yyyy-MM"), F.lit(REALISED)).alias("name")
    return scored.where(F.col(LABEL).isNotNull()).select(name, "user_id", LABEL, "score")


def measure(scored: DataFrame, replicates: int, seed: int) -> dict[date, dict[str, dict[str, Measured]]]:
    """By month, `estimated` or `realised`, and metric.

    `scored` as of `with_probability`, cached, for it is read several times. Intervals: of realised metrics
    by bootstrap over users; of estimated ones from theory, the draw of the labels included.
    """
    found = evaluate(as_estimated(scored).unionByName(as_realised(scored)), replicates=replicates, seed=seed)
    result: dict[date, dict[str, dict[str, Measured]]] = {}
    sums = {row["month"]: row.asDict() for row in label_noise(scored).collect()}
    for name, evaluation in sorted(found.items()):
        text, kind = name.split(" ")
        month = date.fromisoformat(f"{text}-01")
        measured = (
            _estimated(evaluation, sums[month]) if kind == ESTIMATED else _realised(evaluation, sums[month])
        )
        result.setdefault(month, {})[kind] = measured
    return result


def label_noise(scored: DataFrame) -> DataFrame:
    """Grain month: rows, and sums over them of p, p(1-p), the expected log loss and its expected square.

    `known_score` and `known_noise` are those of p and p(1-p) over rows whose label is known.
    """
    p = F.least(F.greatest(F.col("score"), F.lit(_CLIP)), F.lit(1 - _CLIP))
    bought, stayed = -F.log(p), -F.log1p(-p)
    known = F.col(LABEL).isNotNull()
    return scored.groupBy("month").agg(
        F.count(F.lit(1)).alias("rows"),
        F.sum(p).alias("buyers"),
        F.sum(p * (1 - p)).alias("noise"),
        F.sum(p * bought + (1 - p) * stayed).alias("loss"),
        F.sum(p * bought**2 + (1 - p) * stayed**2).alias("square"),
        F.sum(F.when(known, p)).alias("known_buyers"),
        F.sum(F.when(known, p * (1 - p))).alias("known_noise"),
    )


def _estimated(found: Evaluation, sums: Mapping[str, float]) -> dict[str, Measured]:
    rows, buyers = sums["rows"], sums["buyers"]
    auc, loss = found.metrics["roc_auc"], sums["loss"] / rows
    loss_error = np.sqrt(max(sums["square"] / rows - loss**2, 0.0) / rows)
    return {
        "roc_auc": _around(auc, auc_error(auc, buyers, rows - buyers), 0.0, 1.0),
        "log_loss": _around(loss, float(loss_error), 0.0),
        "purchases": _around(buyers, float(np.sqrt(sums["noise"])), 0.0),
    }


def _realised(found: Evaluation, sums: Mapping[str, float]) -> dict[str, Measured]:
    """`purchases_expected` with the interval that chance alone gives the purchases of the known rows."""
    metrics = {
        name: Measured(found.metrics[name], *found.interval(name))
        for name in ("roc_auc", "pr_auc", "log_loss", "brier", "calibration_error")
    }
    bought = found.metrics["positives"]
    expected = _around(sums["known_buyers"], float(np.sqrt(sums["known_noise"])), 0.0)
    bins = {
        f"bin_{place}_{key}": Measured(row[key], row[key], row[key])
        for place, row in enumerate(found.bins)
        for key in ("predicted", "observed", "rows")
    }
    return {**metrics, "purchases": Measured(bought, bought, bought), "purchases_expected": expected, **bins}


def auc_error(auc: float, positives: float, negatives: float) -> float:
    """Standard error of an area under the ROC curve.

    Hanley and McNeil, The meaning and use of the area under a ROC curve, Radiology 143 (1982).
    """
    positives, negatives = max(positives, 1.0), max(negatives, 1.0)
    first, second = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = (
        auc * (1 - auc) + (positives - 1) * (first - auc**2) + (negatives - 1) * (second - auc**2)
    ) / (positives * negatives)
    return float(np.sqrt(max(variance, 0.0)))


def _around(value: float, error: float, least: float = -np.inf, most: float = np.inf) -> Measured:
    low, high = value - NORMAL * error, value + NORMAL * error
    return Measured(float(value), float(max(low, least)), float(min(high, most)))
