"""Performance of a model: estimated from its own probabilities, then measured once labels are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pozytywka_spark.evaluation.evaluate import Rows, evaluate
from pozytywka_spark.evaluation.intervals import NORMAL_95
from pozytywka_spark.evaluation.metric_sums import Floats
from pozytywka_spark.evaluation.metrics import Evaluation

ESTIMATED, REALISED = "estimated", "realised"
_CLIP = 1e-15


@dataclass(frozen=True)
class Measured:
    """A number with its 95% interval."""

    value: float
    low: float
    high: float


Performance = Mapping[str, Measured]


def measure(
    user_id: npt.NDArray[np.int64], label: Floats, score: Floats, *, replicates: int, seed: int
) -> dict[str, dict[str, Measured]]:
    """By `estimated` or `realised`, and metric, of a month's rows; `realised` if any label is known.

    `score` is the calibrated probability, `label` NaN until it is known. Intervals: of realised metrics by
    bootstrap over users; of estimated ones from theory, the draw of the labels included.

    Estimated is by confidence-based performance estimation: a row of probability p counts as p of a buyer
    and 1 - p of another, so that each metric comes out as expected under the model's own probabilities (the
    NannyML library's CBPE; its documentation, "How it works: performance estimation"). It holds as far as
    the model is calibrated on this month's users: it sees that users change, not that the law does.
    """
    labelled = ~np.isnan(label)
    estimated = evaluate({ESTIMATED: Rows(user_id, score, score)}, replicates=0, seed=seed)
    true = {REALISED: Rows(user_id[labelled], label[labelled], score[labelled])}
    realised = evaluate(true, replicates=replicates, seed=seed)
    sums = label_noise(score, labelled)
    by_metric = {ESTIMATED: _estimated(estimated[ESTIMATED], sums)}
    return by_metric | {kind: _realised(each, sums) for kind, each in realised.items()}


def label_noise(score: Floats, labelled: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Rows, and sums over them of p, p(1-p), the expected log loss and its expected square.

    `known_buyers` and `known_noise` are those of p and p(1-p) over rows whose label is known.
    """
    p = np.clip(score, _CLIP, 1 - _CLIP)
    bought, stayed, noise = -np.log(p), -np.log1p(-p), p * (1 - p)
    return {
        "rows": float(len(p)),
        "buyers": float(p.sum()),
        "noise": float(noise.sum()),
        "loss": float((p * bought + (1 - p) * stayed).sum()),
        "square": float((p * bought**2 + (1 - p) * stayed**2).sum()),
        "known_buyers": float(p[labelled].sum()),
        "known_noise": float(noise[labelled].sum()),
    }


def _estimated(evaluation: Evaluation, sums: Mapping[str, float]) -> dict[str, Measured]:
    rows, buyers = sums["rows"], sums["buyers"]
    auc, loss = evaluation.metrics["roc_auc"], sums["loss"] / rows
    loss_error = np.sqrt(max(sums["square"] / rows - loss**2, 0.0) / rows)
    return {
        "roc_auc": _around(auc, auc_error(auc, buyers, rows - buyers), 0.0, 1.0),
        "log_loss": _around(loss, float(loss_error), 0.0),
        "purchases": _around(buyers, float(np.sqrt(sums["noise"])), 0.0),
    }


def _realised(evaluation: Evaluation, sums: Mapping[str, float]) -> dict[str, Measured]:
    """`purchases_expected` with the interval that chance alone gives the purchases of the known rows."""
    metrics = {
        name: Measured(evaluation.metrics[name], *evaluation.interval(name))
        for name in ("roc_auc", "pr_auc", "log_loss", "brier", "calibration_error")
    }
    bought = evaluation.metrics["positives"]
    expected = _around(sums["known_buyers"], float(np.sqrt(sums["known_noise"])), 0.0)
    bins = {
        f"bin_{place}_{key}": Measured(row[key], row[key], row[key])
        for place, row in enumerate(evaluation.bins)
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
    low, high = value - NORMAL_95 * error, value + NORMAL_95 * error
    return Measured(float(value), float(max(low, least)), float(min(high, most)))
