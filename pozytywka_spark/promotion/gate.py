"""The gate: whether a challenger becomes the champion, on the same rows for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from pozytywka_spark.config import Gate, Settings
from pozytywka_spark.dataset.questions import Asked
from pozytywka_spark.evaluation.evaluate import finished, ranges
from pozytywka_spark.evaluation.intervals import PERCENTILES_95
from pozytywka_spark.evaluation.metrics import LOWER_IS_BETTER, Evaluation
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.models.target import check_label
from pozytywka_spark.promotion.gate_margins import Advantage, allowed_calibration_error, what_would_change
from pozytywka_spark.promotion.gate_rows import CHALLENGER, CHAMPION, sums_by_contender

COMPARED = ("roc_auc", "pr_auc", "log_loss", "brier", "calibration_error", "lift_at_10pct")


@dataclass(frozen=True)
class Decision:
    """Promote or keep, the reasons in words, what would turn them, and the numbers behind them."""

    promote: bool
    reasons: tuple[str, ...]
    table: tuple[Mapping[str, object], ...] = ()
    changes: tuple[str, ...] = ()


def compare(
    asked: Asked, champion: ServingModel, challenger: ServingModel, settings: Settings, *, rows: int = 0
) -> Decision:
    """Score the test rows with both and decide. Replicates are cut into questions by `rows`, about how many.

    A champion of other features can't score today's catalogue: it serves nobody, and the challenger
    takes its place if it knows anything at all and is calibrated. Rows that either model has seen in
    training are no ground for a comparison and are refused, and so are models of different labels.
    The rows are of the settings' label: raises `GuardError` if it isn't the challenger's.
    """
    check_label(challenger, settings.label)
    if champion.label != challenger.label:
        return decide_apart(champion, challenger)
    seen = max(champion.trained_until, challenger.trained_until)
    compatible = (champion.features, champion.catalogue_hash) == (
        challenger.features,
        challenger.catalogue_hash,
    )
    models = {CHALLENGER: challenger} | ({CHAMPION: champion} if compatible else {})
    replicates = max(settings.evaluation.bootstrap, 100)
    answers = asked.ask(
        [
            partial(
                sums_by_contender,
                models=models,
                seen=seen,
                seed=settings.evaluation.seed,
                first=first,
                count=count,
            )
            for first, count in ranges(2 * rows, replicates)
        ]
    )
    evaluations = finished([part.whole for part in answers])
    if not evaluations:
        return Decision(
            False, (f"no rows after {seen}, which both models have not seen, to compare them on",)
        )
    if not compatible:
        return decide_alone(evaluations[CHALLENGER], settings.gate)
    slices = finished([answers[0].slices])
    decision = decide(evaluations[CHALLENGER], evaluations[CHAMPION], slices, settings)
    return replace(decision, reasons=(*decision.reasons, *_kinds(champion, challenger)))


def _kinds(champion: ServingModel, challenger: ServingModel) -> list[str]:
    """Who is what, where they are of two kinds: the rule is the same."""
    if champion.kind == challenger.kind:
        return []
    return [f"the champion is {champion.kind_in_words}, the challenger {challenger.kind_in_words}"]


def decide(
    challenger: Evaluation, champion: Evaluation, slices: Mapping[str, Evaluation], settings: Settings
) -> Decision:
    """Promote only if better beyond noise (paired bootstrap), calibrated, and no slice collapsed.

    `slices` holds "challenger slice" and "champion slice" for each slice.
    """
    gate = settings.gate
    sign = -1.0 if gate.metric in LOWER_IS_BETTER else 1.0
    difference = sign * (challenger.replicates[gate.metric] - champion.replicates[gate.metric])
    drawn = difference[1:][np.isfinite(difference[1:])]
    share = float((drawn > 0).mean()) if len(drawn) else 0.0
    better = bool(difference[0] > 0 and share >= gate.confidence)
    reason = (
        f"{gate.metric} is better in {share:.1%} of paired replicates (at least {gate.confidence:.1%} asked)"
    )
    calibrated, about_calibration = calibration_holds(challenger, gate)
    collapsed = collapsed_slices(slices, settings.evaluation.min_slice_positives, gate.max_slice_drop)
    reasons = [reason, about_calibration]
    reasons.append(f"slices collapsed: {'; '.join(collapsed)}" if collapsed else "no slice collapsed")
    advantage = Advantage(gate.metric, float(difference[0]), drawn, gate.confidence)
    changes = what_would_change(advantage, challenger, gate, collapsed)
    promote = better and calibrated and not collapsed
    return Decision(promote, tuple(reasons), _table(challenger, champion), changes)


def decide_apart(champion: ServingModel, challenger: ServingModel) -> Decision:
    """The decision where the two predict different things: the champion stays, a person decides."""
    reason = (
        f"champion {champion.version} predicts {champion.label}, version {challenger.version} predicts "
        f"{challenger.label}: models of different labels are never compared"
    )
    change = (
        "train it under a name of its own (mlflow.model_name), beside the champion; or, if it is to take the "
        "champion's place, give it the alias champion by hand in MLflow's registry"
    )
    return Decision(False, (reason,), changes=(change,))


def decide_alone(challenger: Evaluation, gate: Gate) -> Decision:
    """The decision where the champion can't score today's features."""
    drawn = challenger.replicates["roc_auc"][1:]
    knows = bool((drawn > 0.5).mean() >= gate.confidence) if len(drawn) else False
    calibrated, reason = calibration_holds(challenger, gate)
    auc = challenger.metrics["roc_auc"]
    reasons = (
        "the champion was trained with another catalogue and can score nobody",
        f"the challenger's roc_auc {auc:.4f} is {'' if knows else 'not '}beyond chance",
        reason,
    )
    return Decision(knows and calibrated, reasons)


def calibration_holds(evaluation: Evaluation, gate: Gate) -> tuple[bool, str]:
    """Whether the calibration error is within what is allowed beyond chance.

    A perfectly calibrated model shows an error too: in a bin of n rows with probability p the observed
    rate is off by sqrt(2/pi) sqrt(p (1 - p) / n) on average. Half as much again is granted on top.
    """
    noise, allowed = allowed_calibration_error(evaluation, gate)
    error = evaluation.metrics["calibration_error"]
    verdict = "within" if error <= allowed else "beyond"
    return (
        error <= allowed,
        f"calibration error {error:.4f} is {verdict} {allowed:.4f} (chance gives {noise:.4f})",
    )


def collapsed_slices(slices: Mapping[str, Evaluation], least: int, drop: float) -> list[str]:
    """Slices with enough positives and negatives where the challenger's ROC AUC fell by more than `drop`."""
    collapsed = []
    for name, champion in slices.items():
        who, _, slice_name = name.partition(" ")
        if who != CHAMPION or not slice_name:
            continue
        positives = champion.metrics["positives"]
        challenger = slices[f"{CHALLENGER} {slice_name}"]
        before, after = champion.metrics["roc_auc"], challenger.metrics["roc_auc"]
        if min(positives, champion.metrics["rows"] - positives) >= least and after < before - drop:
            collapsed.append(f"{slice_name} from {before:.3f} to {after:.3f}")
    return sorted(collapsed)


def _table(challenger: Evaluation, champion: Evaluation) -> tuple[Mapping[str, object], ...]:
    rows = []
    for name in COMPARED:
        drawn = (challenger.replicates[name] - champion.replicates[name])[1:]
        low, high = np.percentile(drawn[np.isfinite(drawn)], PERCENTILES_95)
        rows.append(
            {
                "metric": name,
                CHAMPION: champion.metrics[name],
                CHALLENGER: challenger.metrics[name],
                "difference 95%": f"{low:+.4f} to {high:+.4f}",
            }
        )
    return tuple(rows)
