"""From sums over rows to metrics: what each number means."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pozytywka_spark.evaluation.intervals import PERCENTILES_95
from pozytywka_spark.evaluation.metric_sums import CURVE, TOP, Floats

LOWER_IS_BETTER = ("log_loss", "brier", "calibration_error")


@dataclass(frozen=True)
class Evaluation:
    """Metrics of one group of scored rows: exact values, and a vector over replicates for the noise.

    `replicates[name][0]` is the value itself. `bins` is the reliability table, `curve` the share of rows
    taken from the top against the share of positives found.
    """

    metrics: dict[str, float]
    replicates: dict[str, Floats] = field(repr=False)
    bins: list[dict[str, float]] = field(default_factory=list)
    curve: list[dict[str, float]] = field(default_factory=list)

    def interval(self, name: str) -> tuple[float, float]:
        """95% bootstrap interval over users; the value itself twice without replicates."""
        drawn = self.replicates[name][1:] if name in self.replicates else np.empty(0)
        drawn = drawn[np.isfinite(drawn)]
        if len(drawn) == 0:
            return self.metrics[name], self.metrics[name]
        low, high = np.percentile(drawn, PERCENTILES_95)
        return float(low), float(high)


def finish(pos: Floats, neg: Floats, sums: dict[str, Floats]) -> Evaluation:
    """Metrics from `metric_sums.parts` of a group's rows.

    Equal to scikit-learn's `roc_auc_score`, `average_precision_score` (as pr_auc), `log_loss` and
    `brier_score_loss`; undefined ones (a group of one class) are NaN. `calibration_error` is the mean
    distance of predicted and observed rate over ten bins of equal weight, weighted by the bins.
    Precision, recall and lift at a share take the top share of the rows by score.
    """
    size = pos + neg
    values: dict[str, Floats] = {
        "roc_auc": _ratio(sums["auc"][:, 0], pos * neg),
        "pr_auc": _ratio(sums["ap"][:, 0], pos),
        "log_loss": _ratio(sums["log_loss"][:, 0], size),
        "brier": _ratio(sums["brier"][:, 0], size),
        "calibration_error": _ratio(np.abs(sums["bin_score"] - sums["bin_label"]).sum(axis=1), size),
        "mean_score": _ratio(sums["bin_score"].sum(axis=1), size),
        "base_rate": _ratio(pos, size),
    }
    for position, share in enumerate(TOP):
        positives = sums["top"][:, position]
        name = f"{share * 100:.0f}pct"
        values[f"precision_at_{name}"] = _ratio(positives, share * size)
        values[f"recall_at_{name}"] = _ratio(positives, pos)
        values[f"lift_at_{name}"] = _ratio(positives * size, share * size * pos)
    exact = {name: float(value[0]) for name, value in values.items()}
    exact |= {"rows": float(size[0]), "positives": float(pos[0])}
    return Evaluation(
        exact, values, _reliability(sums), _curve(float(pos[0]), float(size[0]), sums["curve"][0])
    )


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _reliability(sums: dict[str, Floats]) -> list[dict[str, float]]:
    columns = (sums["bin_weight"][0], sums["bin_score"][0], sums["bin_label"][0])
    return [
        {"rows": float(rows), "predicted": float(score / rows), "observed": float(label / rows)}
        for rows, score, label in zip(*columns, strict=True)
        if rows > 0
    ]


def _curve(positives: float, size: float, counts: Floats) -> list[dict[str, float]]:
    if positives == 0:
        return []
    return [
        {"share": share, "recall": float(hit / positives), "precision": float(hit / (share * size))}
        for share, hit in zip(CURVE, counts, strict=True)
    ]
