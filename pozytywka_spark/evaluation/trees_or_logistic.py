"""Whether the trees beat logistic regression beyond noise, and so which of the two is registered.

Both score the same rows of the test months and are drawn by the same bootstrap replicates of users, so
replicates pair up and the noise that both share cancels out. The rule is the gate's: beyond noise is
better in at least `gate.confidence` of the paired replicates, by `gate.metric`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pozytywka_spark.config import Gate, Settings
from pozytywka_spark.evaluation.metrics import LOWER_IS_BETTER, Evaluation
from pozytywka_spark.models.names import LOGISTIC, XGBOOST
from pozytywka_spark.names import TEST

BEAT, NO_BETTER, WORSE, UNKNOWN = "beat", "no better", "worse", "unknown"
_WORDS = {"roc_auc": "ROC AUC", "pr_auc": "PR AUC", "log_loss": "log loss", "brier": "Brier score"}


@dataclass(frozen=True)
class Verdict:
    """The trees' metric less logistic regression's over the test rows.

    `low` and `high` hold the central part of the paired replicates that `confidence` leaves (95% of them at
    0.975), `share` is that in which the trees are better; None where too few replicates were drawn.
    """

    outcome: str
    metric: str
    difference: float | None
    low: float | None
    high: float | None
    share: float | None
    replicates: int
    needed: int
    confidence: float


def compare(evaluations: Mapping[str, Evaluation], gate: Gate) -> Verdict:
    """The verdict on `evaluations`: "xgboost test" and "logistic test", of the same rows and seed."""
    trees, line = evaluations[f"{XGBOOST} {TEST}"], evaluations[f"{LOGISTIC} {TEST}"]
    difference = trees.replicates[gate.metric] - line.replicates[gate.metric]
    drawn = difference[1:][np.isfinite(difference[1:])]
    exact = float(difference[0]) if np.isfinite(difference[0]) else None
    sure = (len(drawn), gate.fewest_replicates, gate.confidence)
    if exact is None or len(drawn) < gate.fewest_replicates:
        return Verdict(UNKNOWN, gate.metric, exact, None, None, None, *sure)
    sign = -1.0 if gate.metric in LOWER_IS_BETTER else 1.0
    better, worse = (float((way * sign * drawn > 0).mean()) for way in (1, -1))
    low, high = np.quantile(drawn, (1 - gate.confidence, gate.confidence))
    outcome = NO_BETTER
    if sign * exact > 0 and better >= gate.confidence:
        outcome = BEAT
    elif sign * exact < 0 and worse >= gate.confidence:
        outcome = WORSE
    return Verdict(outcome, gate.metric, exact, float(low), float(high), better, *sure)


def chosen_kind(verdict: Verdict, settings: Settings) -> str:
    """Which kind is registered: the trees, unless the simpler is preferred and they don't beat it."""
    if settings.training.prefer_simple and verdict.outcome != BEAT:
        return LOGISTIC
    return XGBOOST


def verdict_text(verdict: Mapping[str, Any], *, prefer_simple: bool) -> str:
    """One sentence with numbers. `verdict` as `as_plain` gives it."""
    outcome = verdict["outcome"]
    if outcome == UNKNOWN:
        return _unknown(verdict)
    sentence = f"{_OUTCOMES[outcome]}: {_numbers(verdict)}"
    if outcome == BEAT:
        return sentence
    would = "is registered, for" if prefer_simple else "would be registered with"
    return f"{sentence}; the simpler model {would} training.prefer_simple=true"


_OUTCOMES = {
    BEAT: "trees beat logistic regression",
    NO_BETTER: "trees do not beat logistic regression beyond noise",
    WORSE: "trees do not beat logistic regression, it beats them beyond noise",
}


CHOSEN_ON_TEST = (
    "training.prefer_simple=true: trees are registered only if they beat logistic regression beyond noise on "
    "the test months, so the registered model's metrics there are of the rows that chose it out of these two"
)


def as_plain(verdict: Verdict) -> dict[str, Any]:
    """Plain values for a run's artefact."""
    return asdict(verdict)


def metrics_of(verdict: Verdict) -> dict[str, float]:
    """What MLflow shows and compares."""
    name = f"trees_minus_logistic_{verdict.metric}"
    metrics = {
        name: verdict.difference,
        f"{name}_low": verdict.low,
        f"{name}_high": verdict.high,
        "trees_better_share": verdict.share,
    }
    return {key: value for key, value in metrics.items() if value is not None}


def _numbers(verdict: Mapping[str, Any]) -> str:
    inside = round(100 * (2 * verdict["confidence"] - 1), 2)
    low, high = (_signed(verdict["metric"], verdict[name]) for name in ("low", "high"))
    return (
        f"{_difference(verdict)} ({inside:g}% of paired replicates {low} to {high}, "
        f"better in {verdict['share']:.1%})"
    )


def _difference(verdict: Mapping[str, Any]) -> str:
    metric = verdict["metric"]
    more = " (lower is better)" if metric in LOWER_IS_BETTER else ""
    return f"{_WORDS[metric]}{more} {_signed(metric, verdict['difference'])}"


def _signed(metric: str, value: float) -> str:
    return f"{value:+.{4 if metric in LOWER_IS_BETTER else 3}f}"


def _unknown(verdict: Mapping[str, Any]) -> str:
    start = "whether trees beat logistic regression beyond noise can't be told"
    if verdict["difference"] is None:
        return f"{start}: {_WORDS[verdict['metric']]} isn't defined on the test months"
    return (
        f"{start} from {verdict['replicates']} replicates: {_difference(verdict)}; "
        f"evaluation.bootstrap={verdict['needed']} or more would tell"
    )
