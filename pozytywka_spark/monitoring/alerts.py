"""From distances and performance to rows of the table `monitoring`, and which of them alarm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from typing import Any

from pozytywka_spark.config import Monitoring
from pozytywka_spark.evaluation.intervals import NORMAL_95
from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.monitoring.counts import FINE, Counts, Floats
from pozytywka_spark.monitoring.drift import distances_of
from pozytywka_spark.monitoring.performance import ESTIMATED, REALISED, Measured, Performance

SCORE, MODEL = "score", "model"
Row = dict[str, Any]


@dataclass(frozen=True)
class Alert:
    """Something of a month that a person should look at, in one line.

    `label` and `horizon_days` are what the model that was monitored predicts; None in rows of older releases.
    """

    month: date
    subject: str
    metric: str
    value: float
    limit: float
    words: str
    label: str | None = None
    horizon_days: int | None = None


def drift_rows(
    counts: Mapping[str, tuple[Counts, Counts]],
    edges: Mapping[str, Sequence[float]],
    users: float,
    exempt: Set[str],
    settings: Monitoring,
) -> list[Row]:
    """A row a subject and distance. Exempt subjects have no threshold and never alarm.

    `false_alarms` is shared out evenly over the subjects that can alarm (Bonferroni), for each distance.
    """
    watched = [name for name in counts if name not in exempt]
    chance = settings.false_alarms / max(len(watched), 1)
    rows = []
    for name, (reference, month) in counts.items():
        moved = _moved(reference, month, edges.get(name, ()))
        for distance in distances_of(reference, month, users, chance, settings):
            rows.append(
                {
                    "subject": name,
                    "metric": distance.metric,
                    "value": distance.value,
                    "threshold": None if name in exempt else distance.limit,
                    "alert": distance.alert and name not in exempt,
                    "rows": int(month.rows),
                    "detail": moved,
                }
            )
    return rows


def exempt_of(catalogue: Sequence[Feature], settings: Monitoring, history: int) -> set[str]:
    """Features that can't be compared: by settings, or because their window was still filling.

    A sum over 12 months in a reference that starts after `history` months of data has fewer to sum.
    """
    filling = {feature.name for feature in catalogue if _months_of(feature.window) > history}
    return filling | set(settings.exempt)


def performance_rows(
    measured: Mapping[str, Performance], baseline: Mapping[str, float], settings: Monitoring, rows: int
) -> list[Row]:
    """A row a metric of the model, `estimated_…` and `realised_…`.

    `baseline` are the metrics of the model's own test months; without them ROC AUC never alarms.
    """
    made = []
    for kind in (ESTIMATED, REALISED):
        for name, value in measured.get(kind, {}).items():
            threshold, alert, detail = _judge(kind, name, value, measured.get(kind, {}), baseline, settings)
            made.append(
                {
                    "subject": MODEL,
                    "metric": f"{kind}_{name}",
                    "value": _finite(value.value),
                    "low": _finite(value.low),
                    "high": _finite(value.high),
                    "threshold": threshold,
                    "alert": alert,
                    "rows": rows,
                    "detail": detail,
                }
            )
    return made


def alerts_of(rows: Sequence[Mapping[str, Any]]) -> tuple[Alert, ...]:
    """The alarmed rows in words: the model first, then the scores, then features by distance."""
    order = {MODEL: 0, SCORE: 1}
    alarming = sorted(
        (row for row in rows if row["alert"]),
        key=lambda row: (order.get(row["subject"], 2), row["month"], -row["value"], row["subject"]),
    )
    return tuple(
        Alert(
            row["month"],
            row["subject"],
            row["metric"],
            row["value"],
            row["threshold"],
            alert_text(row),
            row.get("label"),
            row.get("horizon_days"),
        )
        for row in alarming
    )


def alert_text(row: Mapping[str, Any]) -> str:
    """One line on an alarmed row."""
    side = "below" if row["metric"].endswith("roc_auc") else "beyond"
    of = f" of {row['label']}" if row["subject"] == MODEL and row.get("label") else ""
    what = f"{row['month']:%Y-%m} {row['subject']}: {row['metric']} {row['value']:.3g}{of}"
    return f"{what} is {side} {row['threshold']:.3g}" + (f" ({row['detail']})" if row["detail"] else "")


def is_retrain_advised(alerts: Sequence[Alert], settings: Monitoring) -> bool:
    """Whether a new model is advised: the model or its scores alarm, or several features do."""
    subjects = {alert.subject for alert in alerts}
    features = subjects - {MODEL, SCORE}
    return bool(subjects & {MODEL, SCORE}) or len(features) >= settings.retrain_features


def _judge(
    kind: str,
    name: str,
    value: Measured,
    others: Mapping[str, Measured],
    baseline: Mapping[str, float],
    settings: Monitoring,
) -> tuple[float | None, bool, str]:
    """Threshold, alarm and words of one metric of the model."""
    if name == "roc_auc" and "roc_auc" in baseline:
        least = baseline["roc_auc"] - settings.max_auc_drop
        detail = f"the test's was {baseline['roc_auc']:.3f}; 95% interval {value.low:.3f} to {value.high:.3f}"
        return least, value.value == value.value and value.high < least, detail
    if kind == REALISED and name == "purchases":
        expected = others["purchases_expected"]
        # beyond chance (three standard errors) and beyond the tolerance
        chance = (expected.high - expected.value) * 3 / NORMAL_95
        limit = max(settings.max_purchase_shift * expected.value, chance)
        far = value.value - expected.value
        # of few purchases even none at all may be chance: then no threshold below can be passed
        threshold = max(0.0, expected.value + (limit if far >= 0 else -limit))
        return threshold, abs(far) > limit, f"{expected.value:.1f} were expected"
    return None, False, ""


def _months_of(window: str) -> int:
    """Months that a feature's window reaches over: `12 months`, or one."""
    first = window.split()[0]
    return int(first) if first.isdigit() else 1


def _moved(reference: Counts, month: Counts, edges: Sequence[float]) -> str:
    """Such as "median 3.1 before, 4.8 now"."""
    middles = [_median(side.bins, edges) for side in (reference, month)]
    if None in middles:
        return ""
    return f"median {middles[0]:.4g} before, {middles[1]:.4g} now"


def _median(bins: Floats, edges: Sequence[float]) -> float | None:
    """The edge at which half of the values lie at or below; None if nothing is known."""
    if not bins.sum() or len(edges) < FINE - 1:
        return None
    place = int((bins.cumsum() < bins.sum() / 2).sum())
    return float(edges[min(place, FINE - 2)])


def _finite(value: float) -> float | None:
    return value if value == value and abs(value) != float("inf") else None
