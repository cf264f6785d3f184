"""The dossier of a training: one self-contained page for those who must decide, from logged numbers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pozytywka_spark.config import Gate, Settings
from pozytywka_spark.reports.page import Page
from pozytywka_spark.training import plots
from pozytywka_spark.training.prepare import Prepared
from pozytywka_spark.training.splits import TimeSplit, describe, months_between

METRICS = ("roc_auc", "pr_auc", "log_loss", "brier", "lift_at_1pct", "lift_at_5pct", "lift_at_10pct")
TOPS = (("1%", "1pct"), ("5%", "5pct"), ("10%", "10pct"))


def dossier(
    prepared: Prepared,
    settings: Settings,
    measured: Mapping[str, Any],
    strongest: Sequence[Mapping[str, Any]],
    meanings: Mapping[str, str],
    remarks: Sequence[str],
) -> str:
    """The page. `measured` as of `record.evaluation_as_json`; `remarks` are notes and guards in words."""
    rows, positives = (sum(size[place] for size in prepared.sizes.values()) for place in (0, 1))
    page = Page(
        "Who will buy premium: dossier of a training",
        f"{rows:,} user-months, {positives:,} purchases within the horizon; target {settings.label.column}",
    )
    _summary(page, measured["models"], remarks)
    _data(page, prepared)
    _models(page, measured["models"])
    _slices(page, measured["slices"], settings.evaluation.min_slice_positives)
    _reasons(page, strongest, meanings)
    page.section("What would change the decision").text(*conditions(settings.gate))
    return page.render()


def conditions(gate: Gate) -> list[str]:
    """When a model is promoted, in words."""
    return [
        f"A later model takes over only if its {gate.metric} on the same test rows is better in at least "
        f"{gate.confidence:.1%} of bootstrap replicates paired by user,",
        f"its calibration error stays within {gate.max_calibration_error} beyond what chance alone gives,",
        f"no slice of users loses more than {gate.max_slice_drop} ROC AUC, and no guard fails.",
        "The champion of today can be given back its place with one command: gate --rollback.",
    ]


def worst_slice(slices: Mapping[str, Mapping[str, Any]], least: int) -> str | None:
    """The slice with the lowest ROC AUC among those with enough positives and negatives."""
    judged = {
        name: row["roc_auc"]
        for name, row in slices.items()
        if row["roc_auc"] is not None and min(row["positives"], row["rows"] - row["positives"]) >= least
    }
    return min(judged, key=lambda name: judged[name]) if judged else None


def _summary(page: Page, models: Mapping[str, Any], remarks: Sequence[str]) -> None:
    best = models["xgboost"]["metrics"]
    section = page.section("In short")
    section.tiles(
        {
            "ROC AUC on months never seen": f"{best['roc_auc']:.3f}",
            "buyers found in the top tenth": f"{best['recall_at_10pct']:.0%}",
            "times better than chance there": f"{best['lift_at_10pct']:.1f}",
            "calibration error": f"{best['calibration_error']:.4f}",
        }
    )
    section.text(*remarks)


def _data(page: Page, prepared: Prepared) -> None:
    section = page.section("Data and split")
    section.table(describe(prepared.split, prepared.counts))
    bars = {"split": prepared.split} | {f"fold {place}": fold for place, fold in enumerate(prepared.folds, 1)}
    months = [f"{month:%Y-%m}" for month in months_between(prepared.split.train[0], prepared.split.test[-1])]
    figure = plots.split_plot({name: _sides(split) for name, split in bars.items()}, months)
    section.figure(figure, alt="Months of train, validation and test", caption="A gap is purged.")
    section.table(
        [{"table": name, "Delta version": version} for name, version in prepared.versions.items()],
        caption="Inputs",
    )


def _models(page: Page, models: Mapping[str, Any]) -> None:
    section = page.section("Models beside each other")
    section.table(
        [
            {"metric": metric, **{name: _with_interval(entry, metric) for name, entry in models.items()}}
            for metric in METRICS
        ],
        caption="Test months; 95% bootstrap intervals over users",
    )
    metrics = models["xgboost"]["metrics"]
    section.table(
        [
            {
                "best": share,
                "users": round(metrics["rows"] * float(share.rstrip("%")) / 100),
                "buyers among them": f"{metrics[f'precision_at_{name}']:.1%}",
                "of all buyers": f"{metrics[f'recall_at_{name}']:.1%}",
                "lift": f"{metrics[f'lift_at_{name}']:.2f}",
            }
            for share, name in TOPS
        ],
        caption="If the best are addressed (XGBoost)",
    )
    section.figure(plots.gain_plot(models), alt="Gain curves of the models")
    section.figure(plots.precision_recall_plot(models), alt="Precision and recall of the models")
    section.figure(plots.reliability_plot(models), alt="Predicted against observed probability")


def _slices(page: Page, slices: Mapping[str, Any], least: int) -> None:
    section = page.section("Slices")
    worst = worst_slice(slices, least)
    section.text(
        f"Worst of the slices with at least {least} buyers: {worst}, ROC AUC {slices[worst]['roc_auc']:.3f}."
        if worst
        else f"No slice has {least} buyers: none can be judged."
    )
    section.table(
        [
            {
                "slice": name,
                "rows": int(row["rows"]),
                "buyers": int(row["positives"]),
                "ROC AUC": _number(row["roc_auc"]),
                "predicted": _number(row["mean_score"]),
                "observed": _number(row["base_rate"]),
            }
            for name, row in sorted(slices.items())
        ]
    )


def _reasons(page: Page, strongest: Sequence[Mapping[str, Any]], meanings: Mapping[str, str]) -> None:
    section = page.section("What moves the scores")
    if not strongest:
        section.text("The trees use no feature.")
        return
    section.figure(plots.importance_plot(strongest), alt="Strongest features by mean contribution")
    section.table(
        [
            {
                "feature": row["feature"],
                "meaning": meanings.get(str(row["feature"]), ""),
                "with more of it the score": row["direction"],
                "strength": _number(row["strength"]),
            }
            for row in strongest[:15]
        ]
    )


def _sides(split: TimeSplit) -> dict[str, list[str]]:
    return {side: [f"{month:%Y-%m}" for month in months] for side, months in split.sides.items()}


def _with_interval(entry: Mapping[str, Any], metric: str) -> str:
    low, high = entry["intervals"][metric]
    return f"{_number(entry['metrics'][metric])} ({low:.4f} to {high:.4f})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
