"""The dossier's sections on models, decisions, slices and tuning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pozytywka_spark.dossier import plots, plots_reasons
from pozytywka_spark.reports.page import Page

METRICS = {
    "roc_auc": "ROC AUC",
    "pr_auc": "PR AUC",
    "log_loss": "log loss",
    "brier": "Brier score",
    "calibration_error": "calibration error",
    "lift_at_1pct": "lift of the best 1%",
    "lift_at_5pct": "lift of the best 5%",
    "lift_at_10pct": "lift of the best 10%",
}
TOPS = (("1%", "1pct"), ("5%", "5pct"), ("10%", "10pct"))
Facts = Mapping[str, Any]


def models(page: Page, models: Facts, kind: str) -> None:
    """Metrics of all models with intervals, and their plots."""
    section = page.section("Models beside each other")
    section.text(
        "On all rows of the test months. ROC AUC: the chance that a buyer is ranked above another user. "
        "Lift: buyers among the best, relative to everybody. Log loss, Brier score and calibration error: "
        f"lower is better. {kind} is the model; the others are what it is judged by; uncalibrated shows what "
        "calibration did to the trees."
    )
    section.table(
        [
            {"metric": words, **{name: _with_interval(entry, metric) for name, entry in models.items()}}
            for metric, words in METRICS.items()
        ],
        caption="Test months; in brackets 95% bootstrap intervals over users",
    )
    caption = "Ten groups of equal size; on the dashed line a probability means what it says."
    section.charts_beside(
        [
            (plots.gain_chart(models), "Gain curves", "Buyers found by taking the best first."),
            (plots.lift_chart(models), "Lift curves", "How many times better than chance."),
            (plots.precision_recall_chart(models), "Precision and recall", "Precision against recall."),
            (plots.reliability_chart(models, kind), "Predicted against observed probability", caption),
        ]
    )


def decisions(page: Page, table: Sequence[Facts], policy: Facts, metrics: Facts) -> None:
    """What each rule would have brought."""
    section = page.section("Whom to address")
    section.text(
        f"What addressing users by each rule would have brought in the test months, if a sale is worth "
        f"{policy['value_of_sale']:g} and a contact costs {policy['cost_of_contact']:g} (settings of "
        "scoring.policy, in any currency). Buyers would have bought unaddressed: whether an offer changes "
        "anything only an experiment can tell."
    )
    section.table(
        [
            {
                "rule": row["rule"],
                "users": row["users"],
                "of all users": _share(row["share"]),
                "buyers": row["buyers"],
                "precision": _share(row["precision"]),
                "promised": _share(row["expected"]),
                "of all buyers": _share(row["recall"]),
                "lift": _number(row["lift"], 2),
                "value": round(row["value"]),
            }
            for row in table
        ],
        caption="Precision: the share of buyers among the addressed; promised: what the probabilities said.",
    )
    section.table(
        [
            {
                **row,
                "precision": _share(row["precision"]),
                "recall": _share(row["recall"]),
                "lift": _number(row["lift"], 2),
            }
            for row in best_shares(metrics)
        ],
        caption="If the best are addressed, whatever their probability",
    )


def best_shares(metrics: Facts) -> list[dict[str, Any]]:
    """A row for each share of best users."""
    return [
        {
            "best": share,
            "users": round(metrics["rows"] * float(share.rstrip("%")) / 100),
            "precision": metrics[f"precision_at_{name}"],
            "recall": metrics[f"recall_at_{name}"],
            "lift": metrics[f"lift_at_{name}"],
        }
        for share, name in TOPS
    ]


def worst_slice(slices: Mapping[str, Facts], least: int) -> str | None:
    """The slice with the lowest ROC AUC among those with enough positives and negatives."""
    judged = {
        name: row["roc_auc"]
        for name, row in slices.items()
        if row["roc_auc"] is not None and min(row["positives"], row["rows"] - row["positives"]) >= least
    }
    return min(judged, key=lambda name: judged[name]) if judged else None


def worst_in_words(slices: Mapping[str, Facts], least: int) -> str:
    """One sentence about the worst slice."""
    worst = worst_slice(slices, least)
    if worst is None:
        return f"no slice has {least} buyers and as many others: none can be judged"
    return f"worst slice with at least {least} buyers: {worst}, ROC AUC {slices[worst]['roc_auc']:.3f}"


def slices(page: Page, slices: Mapping[str, Facts], least: int) -> None:
    """All slices, the worst of those that can be judged named."""
    section = page.section("Slices")
    worst = worst_in_words(slices, least)
    section.text(f"{worst[0].upper()}{worst[1:]}. Slices with fewer buyers are shown but not judged.")
    section.table(
        [
            {
                "slice": name,
                "rows": int(row["rows"]),
                "buyers": int(row["positives"]),
                "ROC AUC": _number(row["roc_auc"], 3),
                "95% interval": _interval(row["roc_auc_interval"]),
                "predicted": _share(row["mean_score"]),
                "observed": _share(row["base_rate"]),
                "judged": min(row["positives"], row["rows"] - row["positives"]) >= least,
            }
            for name, row in sorted(slices.items())
        ]
    )


def tuning(page: Page, tuned: Facts | None) -> None:
    """The search for parameters, if there was one."""
    section = page.section("Tuning")
    if tuned is None:
        section.text("Parameters were taken from the settings; no search was made (train --tune makes one).")
        return
    trials = tuned["trials"]
    states = [trial["state"] for trial in trials]
    before = tuned["default_log_loss"]
    section.tiles(
        {
            "trials": len(trials),
            "given up early": states.count("pruned"),
            "log loss with the settings' parameters": _number(before, 5),
            "with the best found": _number(tuned["log_loss"], 5),
        }
    )
    section.text(
        "Log loss is the mean over the rolling folds, none of which reaches the test months. The settings' "
        f"own parameters were the first trial. {tuned['reason']}. Study {tuned['study']} in "
        f"{tuned['storage']}."
    )
    section.charts(
        [plots_reasons.study_chart(trials)],
        alt="Log loss of the trials",
        caption="The line is the best so far.",
    )
    section.charts(
        plots_reasons.parameters_charts(trials),
        columns=3,
        height=220,
        alt="Log loss by parameter",
        caption="Completed trials; red: best.",
    )
    best = sorted(
        (trial for trial in trials if trial["state"] == "complete"), key=lambda row: row["log_loss"]
    )
    section.table(
        [
            {"trial": row["trial"], "log loss": _number(row["log_loss"], 5), **row["parameters"]}
            for row in best[:5]
        ],
        caption="The five best",
    )


def _with_interval(entry: Facts, metric: str) -> str:
    value = _number(entry["metrics"][metric], 4)
    if metric not in entry["intervals"]:
        return value
    low, high = entry["intervals"][metric]
    return f"{value} ({low:.4f} to {high:.4f})"


def _interval(ends: Sequence[float] | None) -> str:
    return "–" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
